/* The program of the lab's pods. Alone it waits for ever and reaps orphans: the sandbox of a pod, and an application that has
   nothing to do. With arguments it shows what a pod can do:
     answer PORT         greets whoever connects
     reach ADDRESS PORT  ends with 0 if somebody there greets
     find PATH           ends with 0 if there is such a file */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int signal_number) { _exit(signal_number == SIGTERM ? 0 : 1); }
static void reap(int signal_number) {
  (void)signal_number;
  while (waitpid(-1, 0, WNOHANG) > 0) {
  }
}

static int failed(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  return 1;
}

static struct sockaddr_in address(const char* ip, const char* port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
  inet_pton(AF_INET, ip, &to.sin_addr);
  return to;
}

static int answer(const char* port) {
  struct sockaddr_in here = address("0.0.0.0", port);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&here, sizeof here) != 0 || listen(listener, 16) != 0) return failed(port);
  for (;;) {
    int guest = accept(listener, 0, 0);
    if (guest < 0) return failed("accept");
    if (write(guest, "hello\n", 6) != 6) failed("write");
    close(guest);
  }
}

static int reach(const char* ip, const char* port) {
  struct sockaddr_in there = address(ip, port);
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  char greeting[8] = "";
  if (connect(connection, (struct sockaddr*)&there, sizeof there) != 0) return failed(ip);
  return read(connection, greeting, sizeof greeting - 1) > 0 && strcmp(greeting, "hello\n") == 0 ? 0 : 1;
}

int main(int argc, char** argv) {
  signal(SIGTERM, leave);
  signal(SIGINT, leave);
  if (argc == 3 && strcmp(argv[1], "answer") == 0) return answer(argv[2]);
  if (argc == 4 && strcmp(argv[1], "reach") == 0) return reach(argv[2], argv[3]);
  if (argc == 3 && strcmp(argv[1], "find") == 0) return access(argv[2], F_OK) == 0 ? 0 : failed(argv[2]);
  signal(SIGCHLD, reap);
  for (;;) pause();
}

#include "app/program.hpp"

int main(int argc, char** argv) { return mtc::app::run_program(argc, argv); }

#include "base/signature.hpp"

#include <memory>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/hash.hpp"

namespace mtc {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, Free>;
using BioPtr = std::unique_ptr<BIO, Free>;

void must(bool done, const char* what) {
  if (!done) throw Error(Code::kInternal, std::string("OpenSSL cannot ") + what);
}

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

KeyPtr read(std::string_view pem, EVP_PKEY* (*parse)(BIO*, EVP_PKEY**, pem_password_cb*, void*)) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  must(bio != nullptr, "read a key");
  // Without a callback OpenSSL would ask a terminal for the passphrase of an encrypted key.
  auto no_passphrase = [](char*, int, int, void*) { return -1; };
  KeyPtr key(parse(bio.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519)
    throw Error(Code::kInvalid, "not an Ed25519 key in PEM");
  return key;
}

}  // namespace

SigningKey make_signing_key() {
  const KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const BioPtr secret(BIO_new(BIO_s_mem())), open(BIO_new(BIO_s_mem()));
  must(key != nullptr, "make a key");
  must(PEM_write_bio_PKCS8PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
       "write a key");
  must(PEM_write_bio_PUBKEY(open.get(), key.get()) == 1, "write a key");
  return {Secret(text_of(secret.get())), text_of(open.get())};
}

std::string sign(const Secret& private_pem, std::string_view message) {
  const auto key = read(private_pem.reveal(), PEM_read_bio_PrivateKey);
  const ContextPtr context(EVP_MD_CTX_new());
  std::string signature(64, '\0');
  auto size = signature.size();
  must(context != nullptr && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
           EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(message),
                          message.size()) == 1,
       "sign");
  return signature;
}

bool is_signed(const std::string& public_pem, std::string_view message, std::string_view signature) {
  const auto key = read(public_pem, PEM_read_bio_PUBKEY);
  const ContextPtr context(EVP_MD_CTX_new());
  must(context != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1,
       "check a signature");
  return EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
}

std::string key_id(const std::string& public_pem) {
  const auto key = read(public_pem, PEM_read_bio_PUBKEY);
  unsigned char* der = nullptr;
  const auto size = i2d_PUBKEY(key.get(), &der);
  must(size > 0, "write a key");
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(der, [](unsigned char* p) { OPENSSL_free(p); });
  return hex(sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)}));
}

}  // namespace mtc

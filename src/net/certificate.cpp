#include <array>
#include <memory>

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/error.hpp"
#include "net/openssl.hpp"
#include "net/tls.hpp"

namespace mtc::net {
namespace {

[[noreturn]] void fail(std::string_view doing) {
  throw Error(Code::kTls, fmt::format("{}: {}", doing, openssl_error()));
}

std::string text_of(const BioPtr& bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(bio.get(), certificate) != 1) fail("write a certificate");
  return text_of(bio);
}

Secret pem_of(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) fail("write a key");
  return Secret(text_of(bio));
}

void add_name(X509_NAME* name, const char* field, std::string_view value) {
  if (X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                 static_cast<int>(value.size()), -1, 0) != 1) {
    fail("name a certificate");
  }
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1) fail("extend a certificate with " + value);
}

/// Key pair, random serial, validity: what an authority and its certificates have in common.
struct Draft {
  KeyPtr key{EVP_EC_gen("P-256")};
  X509Ptr certificate{X509_new()};
};

Draft draft(Time now, Duration lifetime) {
  Draft out;
  if (!out.key || !out.certificate) fail("make a key");
  auto* certificate = out.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  std::array<unsigned char, 16> serial{};
  RAND_bytes(serial.data(), static_cast<int>(serial.size()));
  serial[0] &= 0x7F;  // positive (RFC 5280 §4.1.2.2)
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(
      BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
  const auto from = std::chrono::system_clock::to_time_t(now - std::chrono::hours(1));
  const auto until =
      std::chrono::system_clock::to_time_t(now + std::chrono::duration_cast<std::chrono::seconds>(lifetime));
  ASN1_TIME_set(X509_getm_notBefore(certificate), from);
  ASN1_TIME_set(X509_getm_notAfter(certificate), until);
  X509_set_pubkey(certificate, out.key.get());
  return out;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) {
    boost::system::error_code no_address;
    boost::asio::ip::make_address(name, no_address);
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", no_address ? "DNS" : "IP", name);
  }
  return out;
}

}  // namespace

Certificate make_ca(std::string_view common_name, Time now) {
  const auto made = draft(now, std::chrono::hours(24 * 3650));
  auto* certificate = made.certificate.get();
  add_name(X509_get_subject_name(certificate), "CN", common_name);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature");
  add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  if (X509_sign(certificate, made.key.get(), EVP_sha256()) == 0) fail("sign a certificate");
  return {pem_of(certificate), pem_of(made.key.get())};
}

Certificate issue_certificate(const Certificate& ca, std::string_view common_name, const std::vector<std::string>& sans,
                              const std::vector<std::string>& organizations, Time now, Duration lifetime) {
  const auto issuer = parse_certificate(ca.cert_pem, "the authority's certificate");
  const auto issuer_key = parse_key(ca.key_pem.reveal(), "the authority's key");
  const auto made = draft(now, lifetime);
  auto* certificate = made.certificate.get();
  auto* subject = X509_get_subject_name(certificate);
  for (const auto& organization : organizations) add_name(subject, "O", organization);
  add_name(subject, "CN", common_name);
  const auto* authority = X509_get_subject_name(issuer.get());
  if (X509_NAME_cmp(subject, authority) == 0) {
    // Verifiers would take it for self-signed and refuse it.
    throw Error(Code::kInvalid, fmt::format("a certificate cannot have its authority's name, {}", common_name));
  }
  X509_set_issuer_name(certificate, authority);
  add_extension(certificate, issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, issuer.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(certificate, issuer.get(), NID_ext_key_usage, sans.empty() ? "clientAuth" : "serverAuth,clientAuth");
  if (!sans.empty()) add_extension(certificate, issuer.get(), NID_subject_alt_name, alternative_names(sans));
  if (X509_sign(certificate, issuer_key.get(), EVP_sha256()) == 0) fail("sign a certificate");
  return {pem_of(certificate), pem_of(made.key.get())};
}

}  // namespace mtc::net

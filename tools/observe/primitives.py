"""Where OpenSSL computes: the functions at the bottom, which nothing gets around.

A function near the surface (RSA_sign, EVP_DigestUpdate) says little: it may hand over to a provider, and
another may be called in its place. So these are the innermost ones: whatever was called first, a SHA-256 is
made of sha256_block_data_order, an AES key is expanded before it is used, every point of a NIST curve is
multiplied by EC_POINT_mul. The module is built from the same sources, so most names are in both files. They
are local functions, mostly: a file without its symbol table cannot be observed.
"""

from __future__ import annotations

#: What one needs for an ACME account, certificates and TLS, so what must have been done somewhere. Of several
#: functions of a kind the processor, the key and the partner choose.
NEEDED = {
    "RSA key": ("RSA_generate_multi_prime_key",),
    "EC key": ("EC_KEY_generate_key",),
    "RSA signature": ("rsa_ossl_private_encrypt",),
    "ECDSA signature": ("ossl_ecdsa_simple_sign_sig",),
    "verification": ("rsa_ossl_public_decrypt", "ossl_ecdsa_simple_verify_sig"),
    "key agreement": ("ossl_ecdh_simple_compute_key", "ossl_x25519"),
    "key derivation": ("kdf_tls1_3_derive",),
    "MAC": ("HMAC_Init_ex",),
    "digest": ("sha256_block_data_order", "sha512_block_data_order"),
    "cipher": ("aesni_set_encrypt_key", "AES_set_encrypt_key"),
    "random numbers": ("ossl_prov_drbg_generate",),
}

#: What else libcrypto could do by itself.
FURTHER = (
    *("BN_generate_prime_ex2", "DH_generate_key", "DSA_generate_key", "ossl_ml_kem_genkey"),
    *("ossl_ml_dsa_generate_key", "ossl_slh_dsa_generate_key", "rsa_ossl_private_decrypt"),
    *("ossl_dsa_do_sign_int", "ossl_ed25519_sign", "ossl_ed25519_verify", "ossl_ed448_sign"),
    *("ossl_ml_dsa_sign", "ossl_ml_dsa_verify", "ossl_slh_dsa_sign", "ossl_slh_dsa_verify"),
    *("ossl_dh_compute_key", "ossl_x448", "ossl_ml_kem_encap_rand", "ossl_ml_kem_decap"),
    *("kdf_hkdf_derive", "kdf_tls1_prf_derive", "kdf_pbkdf2_derive", "CMAC_Init", "Poly1305_Init"),
    *("sha1_block_data_order", "SHA3_absorb", "ossl_blake2b_init", "ossl_blake2s_init"),
    *("vpaes_set_encrypt_key", "ChaCha20_ctr32"),
)

#: The one digest that Certbot makes which is not for security: of a public key, to name an account's folder.
MD5 = "ossl_md5_block_asm_data_order"

#: When a private key is read from a file, cryptography has libcrypto check that it is one. The answer is yes
#: or no, and nothing that was computed is kept.
CHECK_RSA, CHECK_EC = "RSA_check_key_ex", "EC_KEY_check_key"
#: What an RSA check is made of: both factors are tested, each by 64 powers of random numbers (Miller-Rabin).
TEST_PRIME, POWER = "BN_check_prime", "BN_mod_exp_mont_consttime"
#: What an EC check is made of: one multiplication says whether the public key belongs to the private one.
MULTIPLY = "EC_POINT_mul"
CHECKS = (CHECK_RSA, TEST_PRIME, POWER, CHECK_EC, MULTIPLY)

#: All of this is in libcrypto.
IN_LIBCRYPTO = (*(name for kind in NEEDED.values() for name in kind), *FURTHER, MD5, *CHECKS)
#: And this in the module.
IN_MODULE = tuple(name for kind in NEEDED.values() for name in kind)

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

#: What each kind of computation is made of at the bottom, for a table of all operations; of several functions
#: the processor, the parameters and the library's release choose. Not every file has each of them.
KINDS = {
    **{kind: NEEDED[kind] for kind in ("RSA key", "EC key", "RSA signature", "ECDSA signature")},
    "RSA verification": ("rsa_ossl_public_decrypt",),
    "RSA encryption": ("rsa_ossl_public_encrypt",),
    "RSA decryption": ("rsa_ossl_private_decrypt",),
    "ECDSA verification": ("ossl_ecdsa_simple_verify_sig",),
    "ECDH": ("ossl_ecdh_simple_compute_key",),
    "EC point": (MULTIPLY, "ossl_ec_wNAF_mul"),
    "X25519": ("ossl_x25519",),
    "X25519 key": ("ossl_x25519_public_from_private",),
    "X448": ("ossl_x448",),
    "X448 key": ("ossl_x448_public_from_private",),
    "Ed25519 key": ("ossl_ed25519_public_from_private",),
    "Ed25519 signature": ("ossl_ed25519_sign",),
    "Ed25519 verification": ("ossl_ed25519_verify",),
    "Ed448 key": ("ossl_ed448_public_from_private",),
    "Ed448 signature": ("ossl_ed448_sign",),
    "Ed448 verification": ("ossl_ed448_verify",),
    "DSA key": ("DSA_generate_key",),
    "DSA signature": ("ossl_dsa_do_sign_int",),
    "DSA verification": ("dsa_do_verify",),
    "DH key": ("DH_generate_key",),
    "DH": ("ossl_dh_compute_key",),
    "parameters": ("DH_generate_parameters_ex", "ossl_ffc_params_FIPS186_4_generate"),
    "prime": ("BN_generate_prime_ex2", TEST_PRIME),
    "power": ("BN_mod_exp_mont", POWER, "BN_mod_exp_mont_word", "BN_mod_exp_mont_consttime_x2"),
    "SM2": ("sm2_sig_gen", "ossl_sm2_encrypt"),
    "SRP": ("SRP_create_verifier_BN_ex",),
    "ML-KEM key": ("ossl_ml_kem_genkey",),
    "ML-KEM": ("ossl_ml_kem_encap_rand", "ossl_ml_kem_decap"),
    "ML-DSA key": ("ossl_ml_dsa_generate_key",),
    "ML-DSA": ("ossl_ml_dsa_sign", "ossl_ml_dsa_verify"),
    "SLH-DSA key": ("ossl_slh_dsa_generate_key",),
    "SLH-DSA": ("ossl_slh_dsa_sign", "ossl_slh_dsa_verify"),
    "MD4": ("md4_block_data_order",),
    "MD5": (MD5,),
    "SHA-1": ("sha1_block_data_order",),
    # Not a block, for a self-test of the module has nine thousand: every digest ends with these.
    "SHA-2": ("SHA256_Final", "SHA512_Final"),
    "SHA-3": ("SHA3_absorb",),
    "RIPEMD-160": ("ripemd160_block_data_order",),
    "SM3": ("ossl_sm3_block_data_order",),
    "BLAKE2": ("ossl_blake2b_init", "ossl_blake2s_init"),
    "Whirlpool": ("whirlpool_block",),
    "MDC2": ("mdc2_body",),
    "AES": tuple(
        f"{name}_set_{way}_key" for name in ("aesni", "AES", "vpaes") for way in ("encrypt", "decrypt")
    ),
    "DES": ("DES_set_key_unchecked",),
    "Camellia": ("Camellia_set_key",),
    "ARIA": ("ossl_aria_set_encrypt_key",),
    "SM4": ("ossl_sm4_set_key",),
    "ChaCha20": ("ChaCha20_ctr32",),
    "Poly1305": ("Poly1305_Init",),
    "RC4": ("RC4_set_key",),
    "RC2": ("RC2_set_key",),
    "Blowfish": ("BF_set_key",),
    "CAST5": ("CAST_set_key",),
    "SEED": ("SEED_set_key",),
    "IDEA": ("IDEA_set_encrypt_key",),
    "HMAC": NEEDED["MAC"],
    "CMAC": ("CMAC_Init",),
    "KMAC": ("kmac_init",),
    "SipHash": ("SipHash_Init",),
    "HKDF": ("kdf_hkdf_derive",),
    "TLS 1.3 KDF": NEEDED["key derivation"],
    "TLS 1.2 PRF": ("kdf_tls1_prf_derive",),
    "PBKDF2": ("kdf_pbkdf2_derive",),
    "KBKDF": ("kbkdf_derive",),
    "SSKDF": ("sskdf_derive",),
    "X9.63 KDF": ("x963kdf_derive",),
    "X9.42 KDF": ("x942kdf_derive",),
    "SSH KDF": ("kdf_sshkdf_derive",),
    "scrypt": ("kdf_scrypt_derive",),
    "Argon2": ("kdf_argon2_derive",),
    "EVP_BytesToKey": ("EVP_BytesToKey",),
    "PKCS#12 KDF": ("kdf_pkcs12_derive", "PKCS12_key_gen_uni_ex"),
    "Kerberos KDF": ("krb5kdf_derive",),
    "random numbers": NEEDED["random numbers"],
}

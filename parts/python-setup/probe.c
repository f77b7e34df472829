/* The built-in module _fips: what Python's own modules cannot ask of libcrypto, for the launcher's
 * proof, at a cost of microseconds (ctypes would cost milliseconds of every start).
 *
 * libcrypto is not linked: it must not be loaded before its config is selected, and this program has
 * to start, and say one clear line, where libcrypto is missing.  The copy that is already in the process
 * is asked, and no other: RTLD_NOLOAD.
 */
#include "Python.h"

#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#define FUNCTIONS(USE)                 \
    USE(ERR_clear_error)               \
    USE(EVP_PKEY_CTX_free)             \
    USE(EVP_PKEY_CTX_get0_provider)    \
    USE(EVP_PKEY_CTX_new_from_name)    \
    USE(EVP_PKEY_CTX_set_rsa_keygen_bits) \
    USE(EVP_PKEY_free)                 \
    USE(EVP_PKEY_generate)             \
    USE(EVP_PKEY_keygen_init)          \
    USE(OSSL_PARAM_construct_end)      \
    USE(OSSL_PARAM_construct_int)      \
    USE(OSSL_PARAM_construct_utf8_ptr) \
    USE(OSSL_PROVIDER_get0_name)       \
    USE(OSSL_PROVIDER_get_params)

#define DECLARE(name) __typeof__(name) *name;
struct libcrypto { FUNCTIONS(DECLARE) };

static int
load(struct libcrypto *crypto, const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    if (handle == NULL)
        return 0;
#define FIND(name) \
    if ((crypto->name = (__typeof__(name) *)dlsym(handle, #name)) == NULL) \
        return 0;
    FUNCTIONS(FIND)
    return 1;
}

PyDoc_STRVAR(rsa_doc,
"rsa(libcrypto: str, bits: int) -> tuple[str, str, bool, bool]\n\n"
"Ask the loaded libcrypto who makes RSA keys: name and version of that provider, whether it says that\n"
"it is running, and whether it did make a key of so many bits.  OSError if libcrypto does not say.");

static PyObject *
rsa(PyObject *self, PyObject *arguments)
{
    const char *path;
    int bits, running = 0;
    const char *version = NULL;
    struct libcrypto crypto;
    if (!PyArg_ParseTuple(arguments, "si", &path, &bits))
        return NULL;
    if (!load(&crypto, path))
        return PyErr_Format(PyExc_OSError, "%s is not the libcrypto of this process", path);
    PyObject *answer = NULL;
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = crypto.EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (context != NULL && crypto.EVP_PKEY_keygen_init(context) == 1) {
        const OSSL_PROVIDER *provider = crypto.EVP_PKEY_CTX_get0_provider(context);
        OSSL_PARAM asked[] = {
            crypto.OSSL_PARAM_construct_utf8_ptr(OSSL_PROV_PARAM_VERSION, (char **)&version, 0),
            crypto.OSSL_PARAM_construct_int(OSSL_PROV_PARAM_STATUS, &running),
            crypto.OSSL_PARAM_construct_end(),
        };
        if (provider != NULL && crypto.OSSL_PROVIDER_get_params(provider, asked) == 1 && version != NULL) {
            int made = crypto.EVP_PKEY_CTX_set_rsa_keygen_bits(context, bits) > 0
                && crypto.EVP_PKEY_generate(context, &key) > 0;
            answer = Py_BuildValue("ssNN", crypto.OSSL_PROVIDER_get0_name(provider), version,
                                   PyBool_FromLong(running), PyBool_FromLong(made));
        }
    }
    if (answer == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_OSError, "OpenSSL has nobody who makes RSA keys");
    crypto.EVP_PKEY_free(key);
    crypto.EVP_PKEY_CTX_free(context);
    crypto.ERR_clear_error();
    return answer;
}

static PyMethodDef methods[] = {
    {"rsa", rsa, METH_VARARGS, rsa_doc},
    {NULL, NULL, 0, NULL},
};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_fips", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__fips(void)
{
    return PyModule_Create(&definition);
}

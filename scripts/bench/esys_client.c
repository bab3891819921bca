// The benchmark's client of a resource manager, over the TSS' own library: the median of TPM2_GetRandom,
// and of TPM2_ReadPublic of two keys each in two contexts, used by turns, in microseconds.
//
// Usage: TPM2TOOLS_TCTI=… esys_client COUNT

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

static void check(TSS2_RC result, const char *what) {
  if (result == TSS2_RC_SUCCESS) return;
  fprintf(stderr, "%s gave 0x%x\n", what, result);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int compare(const void *one, const void *other) {
  double difference = *(const double *)one - *(const double *)other;
  return (difference > 0) - (difference < 0);
}

static double median(double *samples, int count) {
  qsort(samples, count, sizeof *samples, compare);
  return samples[count / 2];
}

static ESYS_CONTEXT *connect_to(const char *tcti_words) {
  TSS2_TCTI_CONTEXT *tcti;
  ESYS_CONTEXT *context;
  check(Tss2_TctiLdr_Initialize(tcti_words, &tcti), "Tss2_TctiLdr_Initialize");
  check(Esys_Initialize(&context, tcti, NULL), "Esys_Initialize");
  return context;
}

static ESYS_TR make_key(ESYS_CONTEXT *context) {
  TPM2B_SENSITIVE_CREATE sensitive = {0};
  TPM2B_PUBLIC public = {
      .publicArea = {.type = TPM2_ALG_ECC,
                     .nameAlg = TPM2_ALG_SHA256,
                     .objectAttributes = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
                                         TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
                                         TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH,
                     .parameters.eccDetail = {.symmetric = {.algorithm = TPM2_ALG_AES,
                                                            .keyBits.aes = 128,
                                                            .mode.aes = TPM2_ALG_CFB},
                                              .scheme.scheme = TPM2_ALG_NULL,
                                              .curveID = TPM2_ECC_NIST_P256,
                                              .kdf.scheme = TPM2_ALG_NULL}}};
  TPM2B_DATA outside = {0};
  TPML_PCR_SELECTION pcrs = {0};
  ESYS_TR key;
  check(Esys_CreatePrimary(context, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                           &sensitive, &public, &outside, &pcrs, &key, NULL, NULL, NULL, NULL),
        "TPM2_CreatePrimary");
  return key;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  int count = atoi(argv[1]);
  double *samples = calloc(count, sizeof *samples);
  if (!samples) return 1;
  ESYS_CONTEXT *contexts[2];
  ESYS_TR keys[4];
  for (int i = 0; i < 2; i++) contexts[i] = connect_to(getenv("TPM2TOOLS_TCTI"));

  // Half of it comes before what is counted.
  for (int i = -count / 2; i < count; i++) {
    TPM2B_DIGEST *bytes;
    double begin = now();
    check(Esys_GetRandom(contexts[0], ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, 16, &bytes),
          "TPM2_GetRandom");
    if (i >= 0) samples[i] = now() - begin;
    Esys_Free(bytes);
  }
  double random = median(samples, count);

  for (int i = 0; i < 4; i++) keys[i] = make_key(contexts[i % 2]);
  for (int i = -count / 2; i < count; i++) {
    int turn = (i + count) % 4;
    TPM2B_PUBLIC *public;
    double begin = now();
    check(Esys_ReadPublic(contexts[turn % 2], keys[turn], ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                          &public, NULL, NULL),
          "TPM2_ReadPublic");
    if (i >= 0) samples[i] = now() - begin;
    Esys_Free(public);
  }
  printf("{\"random\":%f,\"swapping\":%f}\n", random, median(samples, count));
  for (int i = 0; i < 4; i++) check(Esys_FlushContext(contexts[i % 2], keys[i]), "TPM2_FlushContext");
  return 0;
}

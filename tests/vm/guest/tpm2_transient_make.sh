# tpm2_transient_make: makes a signing key on /dev/tpm0, where no resource manager takes it out
# again, so it stays loaded in the TPM. Its public half is told as PEM in base64.
export TPM2TOOLS_TCTI=device:/dev/tpm0
attributes='sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth'
tpm2 createprimary -Q -C o -G ecc -a "$attributes" -c key.ctx
tpm2 getcap handles-transient >handles
say handles "$(sed -n 's/^- //p' handles | tr '\n' ' ')"
tpm2 readpublic -Q -c 0x80000000 -f pem -o key.pem
say public "$(base64 -w 0 key.pem)"

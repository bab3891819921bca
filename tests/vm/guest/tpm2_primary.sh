# tpm2_primary ALGORITHM: makes a primary key below the owner hierarchy; its name tells the seed.
tpm2 createprimary -Q -C o -G "$1" -c primary.ctx
tpm2 readpublic -Q -c primary.ctx -n primary.name
say name "$(xxd -p -c 256 primary.name)"

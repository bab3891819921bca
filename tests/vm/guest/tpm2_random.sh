# tpm2_random COUNT: two draws of COUNT random bytes.
say first "$(tpm2 getrandom --hex "$1")"
say second "$(tpm2 getrandom --hex "$1")"

module zxcvbn

go 1.26

// Package zxcvbn stands in for the meter with which `pulumi config set` finds that a value looks like a secret: nothing
// does. Pulumi and its esc have one each, and their tables of words take half of the time in which Pulumi starts.
package zxcvbn

// Strength is how hard a value is to guess.
type Strength struct{ Entropy float64 }

// PasswordStrength takes every value for one that anybody guesses.
func PasswordStrength(string, []string) Strength { return Strength{} }

/**
 * Stands for a value that is set and not known here: a secret of a stack file that was read without decrypting it. Such
 * a value passes every check and is never shown.
 */
export const NOT_SHOWN = Symbol("not shown");

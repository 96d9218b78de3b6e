/** Namespace of everything ZTWIM runs; hard-coded in the operator. */
export const OPERAND_NAMESPACE = "zero-trust-workload-identity-manager";

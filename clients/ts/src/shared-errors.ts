export const SHARED_ERRORS: Readonly<Record<number, { readonly name: string; readonly message: string }>> = {};

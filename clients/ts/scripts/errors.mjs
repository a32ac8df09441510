// What the error codes of a program mean, by name, in every build: Codama's own table is left out of production bundles.

import { camelCase, pascalCase } from '@codama/nodes';

/** Codama's page of errors with another table of their meanings. */
export function errorsModule(idl, text) {
    const program = pascalCase(idl.metadata.name);
    const constant = idl.metadata.name.toUpperCase();
    const start = text.indexOf(`let ${camelCase(idl.metadata.name)}ErrorMessages`);
    const end = text.indexOf(`export function is${program}Error`);
    if (start < 0 || end < start) throw new Error(`the errors of ${idl.metadata.name} are not where they are expected`);
    const rows = idl.errors.map(({ code, name, msg }) => `    ${code}: { name: ${JSON.stringify(name)}, message: ${JSON.stringify(msg ?? '')} },`);
    return `${text.slice(0, start)}/** Name and message of every error of ${idl.metadata.name}. */
export const ${constant}_ERRORS: Readonly<Record<${program}Error, { readonly name: string; readonly message: string }>> = {
${rows.join('\n')}
};

/** What to do about an error of ${idl.metadata.name}. */
export function get${program}ErrorMessage(code: ${program}Error): string {
    return ${constant}_ERRORS[code].message;
}

${text.slice(end)}`;
}

// The programs' errors by code, out of their interfaces. Loaded when the first one happens.

import type { Address } from "@solana/kit";
import { address as modelToken, errors as modelTokenErrors } from "../../../idl/model_token.json";
import { address as opmlOracle, errors as opmlOracleErrors } from "../../../idl/opml_oracle.json";
import { address as revenueEscrow, errors as revenueEscrowErrors } from "../../../idl/revenue_escrow.json";
import { address as yieldDistributor, errors as yieldDistributorErrors } from "../../../idl/yield_distributor.json";

export interface ProgramError {
  program: string;
  name: string;
  /** Says what to do. */
  message: string;
}

interface Listed {
  code: number;
  name: string;
  msg: string;
}

const TABLES: readonly (readonly [string, string, readonly Listed[]])[] = [
  [modelToken, "model-token", modelTokenErrors],
  [opmlOracle, "opml-oracle", opmlOracleErrors],
  [revenueEscrow, "revenue-escrow", revenueEscrowErrors],
  [yieldDistributor, "yield-distributor", yieldDistributorErrors],
];

export function errorOf(program: Address, code: number): ProgramError | undefined {
  const table = TABLES.find(([address]) => address === program);
  const listed = table?.[2].find((error) => error.code === code);
  return table === undefined || listed === undefined ? undefined : { program: table[1], name: listed.name, message: listed.msg };
}

export function allErrors(): readonly (readonly [string, Listed])[] {
  return TABLES.flatMap(([, program, listed]) => listed.map((error) => [program, error] as const));
}

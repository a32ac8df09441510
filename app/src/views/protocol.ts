// The settings in force.

import { findProtocolPda, type Protocol } from "@imo/client/model-token";
import type { Chain } from "../chain/chain.ts";
import { Failed } from "../chain/failure.ts";
import { PROTOCOL } from "../chain/kinds.ts";

export async function readProtocol(chain: Chain): Promise<Protocol> {
  const [address] = await findProtocolPda();
  const protocol = await chain.one(PROTOCOL, address);
  if (protocol === undefined) throw new Failed({ kind: "missing", what: address });
  return protocol;
}

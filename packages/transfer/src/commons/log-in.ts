import { type Engine, withCall } from '../engine.ts'
import type { FetchOptions } from '../options.ts'
import { openCommons } from '../sources/drs/open-commons.ts'

/**
 * Exchanges every credential of `options.commons` for a token, so that those that are not accepted are known before a long
 * list is begun. Transfers of the same engine use these tokens.
 *
 * @throws TransferError Denied with reason `cred_rejected`
 */
export async function logIn(options: FetchOptions & { readonly engine: Engine }): Promise<void> {
  await withCall(options, async (engine, opened) => {
    const commons = await openCommons(await engine.contextFor(opened))
    await commons.logIn(options.signal ?? new AbortController().signal)
  })
}

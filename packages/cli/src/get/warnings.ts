import { type Context, warn } from '../context.ts'
import type { FetchFlags } from '../options/fetch.ts'

/** Loud on purpose (reliability 6). */
export function warnOfInsecure(flags: FetchFlags, context: Context): void {
  if (flags.insecure) warn(context, '--insecure: any server is believed; only a checksum proves what arrives.')
}

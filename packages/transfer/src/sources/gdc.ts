/** Reads files of the Genomic Data Commons: `gdc:<id>` (gen3 6.5). */

import { Api } from '../commons/api.ts'
import { Gdc } from '../commons/gdc.ts'
import type { Source } from '../source.ts'
import type { SourceContext } from './context.ts'
import { FallbackSource } from './drs/fallback.ts'

export async function openGdcSource(uri: string, context: SourceContext): Promise<Source> {
  const { headers: _, credentials: __, ...options } = context.options
  const gdc = await context.shared('gdc', () => openGdc(context))
  const id = uri.slice(uri.indexOf(':') + 1)
  // What the answer says of MD5 is the file's also beside a range, and in hex: the record is clearer.
  const facts = context.isKnown ? undefined : (await gdc.file(id)).object
  const source = new FallbackSource(uri, {
    origins: [{ key: 'gdc', open: () => context.open(gdc.dataUrl(id), { ...options, headers: gdc.headers }) }],
    facts,
    isProven: context.isKnown,
    distrust: () => {},
  })
  await source.begin()
  return source
}

async function openGdc(context: SourceContext): Promise<Gdc> {
  const { commons: given = {} } = context.options
  const { gdc, gdcToken } = typeof given === 'function' ? await given() : given
  return new Gdc({ api: new Api({ origins: context.origins }), base: gdc, token: gdcToken })
}

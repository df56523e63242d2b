/**
 * Reads files of the Genomic Data Commons: `gdc:<id>` (gen3 6.5). What the GDC says of size and digest holds. Small files
 * that are asked for together travel together. `gdc:<id>/` lists what belongs to a file: its index and metadata files.
 */
import { abortable } from '../abortable.ts'
import { Api } from '../commons/api.ts'
import { Gdc } from '../commons/gdc.ts'
import { TransferError } from '../errors.ts'
import type { Source } from '../source.ts'
import type { SourceContext } from './context.ts'
import { FallbackSource } from './drs/fallback.ts'
import { GroupedSource } from './gdc/grouped-source.ts'
import { GdcGroups } from './gdc/groups.ts'
import { listRelated } from './gdc/related.ts'
import { listOnly } from './list-only.ts'

const NEVER = new AbortController().signal

export async function openGdcSource(uri: string, context: SourceContext): Promise<Source> {
  const { gdc, groups } = await context.shared('gdc', () => openGdc(context))
  const { headers: _, credentials: __, ...options } = context.options
  const id = uri.slice(uri.indexOf(':') + 1)
  if (id.endsWith('/')) {
    const why = 'it stands for the files that belong to one; without the slash it is that file'
    return listOnly({ uri, origin: 'gdc:', why, list: request => listRelated(id.slice(0, -1), gdc, request) })
  }
  // What the answer says of MD5 is the file's also beside a range, and in hex: the record is clearer.
  const facts = context.isKnown ? undefined : (await abortable(gdc.file(id), options.signal ?? NEVER)).object
  const size = facts ? facts.size : context.size
  const open = async () => {
    // Credentials of the caller are for other hosts; the GDC gets its token, and nobody else does.
    const single = await context.open(gdc.dataUrl(id), { ...options, headers: gdc.headers })
    return new GroupedSource({ id, size, groups, single, explain: error => explained(error, uri, gdc) })
  }
  const source = new FallbackSource(uri, {
    origins: [{ key: 'gdc', open }],
    facts,
    isProven: context.isKnown,
    distrust: () => {},
  })
  await source.begin()
  return source
}

/** The GDC says of all refusals the same; what is missing depends on what it was given. */
function explained(error: unknown, uri: string, { hasToken }: Gdc): unknown {
  if (!(error instanceof TransferError) || error.code !== 'Denied') return error
  const why = hasToken ? 'the token does not open it, or is no longer valid' : 'it is controlled, and there is no token'
  const remedy = hasToken
    ? 'Get a new token from the GDC’s portal; check that your projects have this file.'
    : 'Log in at the GDC’s portal, download a token and give it with --gdc-token.'
  return new TransferError('Denied', `Cannot fetch ${uri}: ${why} (the GDC answered ${error.status})`, {
    ...error.details,
    reason: hasToken ? 'denied' : 'needs_credentials',
    remedy,
    cause: error,
  })
}

async function openGdc(context: SourceContext): Promise<{ gdc: Gdc; groups: GdcGroups }> {
  const { commons: given = {} } = context.options
  const { gdc: base, gdcToken } = typeof given === 'function' ? await given() : given
  const { origins } = context
  const gdc = new Gdc({ api: new Api({ origins }), base, token: gdcToken })
  return { gdc, groups: new GdcGroups({ gdc, origins }) }
}

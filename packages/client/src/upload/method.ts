/** How the bytes of an upload get to the librarian: the first of its ways that works from this machine (librarian 8). */
import { type HttpProvider, httpProvider, localProvider, type UploadProviders } from '@arriero/api'
import { TransferError } from '@arriero/transfer'
import { isLocallyVisible } from './copy-locally.ts'
import type { LocalItem } from './local-item.ts'

export type Method =
  | { readonly kind: 'local'; readonly name: string; readonly provider: { readonly hostnames: string[] } }
  | { readonly kind: 'http'; readonly name: string; readonly provider: HttpProvider }

interface Announced {
  readonly transfer_providers: UploadProviders
  readonly staging_location: string
}

export async function chooseMethod(item: LocalItem, announced: Announced): Promise<Method> {
  const { transfer_providers, staging_location } = announced
  let hasHttp = false
  for (const [name, fields] of Object.entries(transfer_providers)) {
    const http = httpProvider.safeParse(fields)
    hasHttp ||= http.success
    if (http.success && takes(item, http.data)) return { kind: 'http', name, provider: http.data }
    const provider = localProvider.parse(fields)
    if (await isLocallyVisible(provider.hostnames, staging_location)) return { kind: 'local', name, provider }
  }
  const hosts = Object.values(transfer_providers).flatMap(({ hostnames }) => hostnames)
  const where = `by copy on ${hosts.join(', ') || 'no machine'}`
  const what = item.kind === 'tree' ? 'a tree' : 'bytes'
  throw new TransferError(
    'Unsupported',
    `Cannot bring ${what} to this librarian from here: it takes ${what} ${where}`,
    {
      remedy: hasHttp
        ? 'Upload it there, or send its files one by one with --each.'
        : 'Upload on one of these machines, or ask the operator to take uploads over HTTP.',
    },
  )
}

/** An older librarian has no way to take the names in a tree. */
function takes({ kind }: LocalItem, { archives }: HttpProvider): boolean {
  return kind === 'file' || archives?.includes('tar') === true
}

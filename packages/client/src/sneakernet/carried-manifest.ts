import { readFile } from 'node:fs/promises'
import { endpoints, LibrarianError } from '@arriero/api'
import type { z } from 'zod'

const schema = endpoints.admin.storesManifest.answer

/** What `admin/stores/manifest` answered at the source, carried with the disk (librarian 11.7). */
export type CarriedManifest = z.output<typeof schema>

/** A file of a store manifest, as it is carried. */
export type CarriedEntry = CarriedManifest['store_files'][number]

/** A store manifest as it was carried, checked. */
export async function readCarriedManifest(path: string): Promise<CarriedManifest> {
  const text = await readFile(path, 'utf8').catch(cause => {
    throw new LibrarianError('BadRequest', `Cannot read the manifest ${path}: ${(cause as Error).message}`, {
      remedy: 'Check the path and its permissions.',
      cause,
    })
  })
  const parsed = schema.safeParse(asJson(text))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const at = issue?.path.length ? ` at ${issue.path.join('.')}` : ''
  throw new LibrarianError('BadRequest', `Cannot use the manifest ${path}:${at} ${issue?.message}.`, {
    remedy: 'It must be what `arriero stores manifest` has written.',
  })
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

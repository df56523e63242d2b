/**
 * `node one-at-a-time.ts CREDENTIALS MANIFEST DIRECTORY`: what a plain client of a data commons does, for comparison. One
 * token; then for each row a question for a URL, and its bytes into a file. Nothing is verified.
 */
import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

interface Row {
  object_id: string
  file_name: string
  commons_url: string
}

const [credentials, manifest, directory] = process.argv.slice(2) as [string, string, string]
const rows: Row[] = JSON.parse(await readFile(manifest, 'utf8'))
const { commons_url: origin } = rows[0] as Row
const { access_token } = await json<{ access_token: string }>(`${origin}/user/credentials/api/access_token`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: await readFile(credentials, 'utf8'),
})
for (const { object_id, file_name } of rows) {
  const headers = { authorization: `Bearer ${access_token}` }
  const { url } = await json<{ url: string }>(`${origin}/user/data/download/${object_id}`, { headers })
  const { body } = await fetch(url)
  await pipeline(Readable.fromWeb(body as never), createWriteStream(join(directory, file_name)))
}

async function json<T>(url: string, init: RequestInit): Promise<T> {
  const answer = await fetch(url, init)
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
  return (await answer.json()) as T
}

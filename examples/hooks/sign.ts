import type { Hooks } from '@arriero/transfer'

const token = process.env.ARCHIVE_TOKEN ?? 'none'

/** Asks an archive for the address behind a name, and shows it a token. Asked again when a request is refused. */
const sign: Hooks = {
  async resolve(uri) {
    if (!uri.includes('/names/')) return uri
    const answer = await globalThis.fetch(uri)
    if (!answer.ok) throw new Error(`the archive answered ${answer.status}`)
    return (await answer.text()).trim()
  },
  credentials: ({ origin }) =>
    origin.startsWith('http://127.0.0.1') ? { Authorization: `Bearer ${token}` } : undefined,
}

export default sign

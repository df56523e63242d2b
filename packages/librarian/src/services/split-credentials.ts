/** At the first colon only: passwords may hold more (librarian 5.4). */
export function splitCredentials(text: string): { user: string; password: string } {
  const colon = text.indexOf(':')
  return colon === -1 ? { user: text, password: '' } : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

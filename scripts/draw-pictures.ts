/**
 * `npm run docs:pictures [-- NAME…]`: makes the pictures of docs/pictures that show the built program at work, or those of these
 * names. Needs `script` (util-linux) and, for the dashboard, Debian's Chromium and libfaketime.
 */
import { drawDownloads } from './pictures/downloads.ts'
import { drawLibrarian } from './pictures/librarian.ts'
import { drawOverview } from './pictures/overview.ts'
import { drawProfile } from './pictures/profile.ts'

const pictures: Readonly<Record<string, () => Promise<void>>> = {
  terminal: drawDownloads,
  librarian: drawLibrarian,
  overview: drawOverview,
  profile: drawProfile,
}

const names = process.argv.slice(2)
const unknown = names.filter(name => !(name in pictures))
if (unknown.length > 0)
  throw new Error(`There is no picture ${unknown.join(', ')}, only ${Object.keys(pictures).join(', ')}`)
// One after the other: each shows how fast something is.
for (const name of names.length > 0 ? names : Object.keys(pictures)) {
  await pictures[name]!()
  console.log(`drawn: ${name}`)
}

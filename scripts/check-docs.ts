/**
 * `npm run docs:check`: holds the texts to the code. Prints one line per problem and exits 1 if there is any.
 *
 *     links       every relative link, and every file that a text names, exists
 *     citations   "design 4", "retrieval 8.1" and the like in comments lead to a heading
 *     program     what a text calls the program with, its own parser takes
 *     shell       blocks of shell are such; scripts and files that they call exist
 *     data        blocks of JSON and YAML can be read, and show settings that there are
 *     names       settings, fields and codes that the manual names are the program's
 *     examples    every ```ts block, in texts and in comments, passes the type checker
 *     reference   generated pages are what the program says now
 *     attacks     every row of the attack matrix has its tests, every case its row
 *     words       nothing names what does not belong here
 */
import { checkAttacks } from './docs/attacks.ts'
import { checkCitations } from './docs/citations.ts'
import { checkData } from './docs/data.ts'
import { checkExamples } from './docs/examples.ts'
import { readProject } from './docs/files.ts'
import { checkLinks } from './docs/links.ts'
import { checkNames } from './docs/names.ts'
import { checkProgram } from './docs/program.ts'
import { checkReference } from './docs/reference.ts'
import { checkShell } from './docs/shell-blocks.ts'
import { checkWords } from './docs/words.ts'

const startedAt = performance.now()
const files = await readProject()
const found = await Promise.all([
  checkLinks(files),
  checkCitations(files),
  checkProgram(files),
  checkShell(files),
  checkData(files),
  checkNames(files),
  checkExamples(files),
  checkReference(files),
  checkAttacks(files),
  checkWords(files),
])
const problems = found.flatMap(({ problems }) => problems)
for (const problem of problems) console.log(problem)
const counts = found.map(({ what, count }) => `${count} ${what}`).join(', ')
const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
console.log(`docs: ${counts}; ${problems.length} problems (${seconds} s)`)
process.exitCode = problems.length > 0 ? 1 : 0

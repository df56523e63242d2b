/**
 * `npm run docs:reference`: writes the pages of the manual that the program itself can tell: every command, every setting,
 * every error. `npm run docs:check` says when they are out of date.
 */
import { writeFile } from 'node:fs/promises'
import { root } from './docs/files.ts'
import { referencePages } from './reference/pages.ts'

const { pages, problems } = await referencePages()
for (const problem of problems) console.log(problem)
for (const { path, text } of pages) await writeFile(root + path, text)
process.exitCode = problems.length > 0 ? 1 : 0

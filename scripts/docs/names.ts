import { type Findings, isMarkdown, lineOf, type ProjectFile } from './files.ts'

/** Where names come from: the program, its deployment, and pages that are made from the program. */
const sources = /^(?:packages\/[\w-]+\/src\/|deploy\/|bench\/|docs\/manual\/(?:commands|errors|settings)\.md$)/

/** Of other programs. */
const others = new Set(['proxy_http', 'mod_proxy_http', 'mod_reqtimeout'])

/** Settings, fields, codes and metrics that running text of the manual names, `like_this`, are known to the program. */
export function checkNames(files: readonly ProjectFile[]): Findings {
  const known = new Set(files.filter(({ path }) => sources.test(path)).flatMap(({ text }) => namesIn(text)))
  const problems: string[] = []
  let count = 0
  for (const { path, text } of files.filter(isPage)) {
    const outside = text.replaceAll(/^[ \t]*```[\s\S]*?^[ \t]*```/gm, block => block.replaceAll(/[^\n]/g, ' '))
    // A single word, perhaps with what is below it: a setting, and not a file or a command.
    for (const { 1: code = '', index } of outside.matchAll(/`([A-Za-z]\w*_[\w.]*)`/g)) {
      for (const name of namesIn(code)) {
        count++
        if (!known.has(name) && !others.has(name))
          problems.push(`${path}:${lineOf(text, index)}: nothing is called ${name}`)
      }
    }
  }
  return { what: 'names', count, problems }
}

function isPage(file: ProjectFile): boolean {
  return isMarkdown(file) && /^(?:README|docs\/manual\/)/.test(file.path) && !sources.test(file.path)
}

/** Those with `_` between their words. */
function namesIn(text: string): string[] {
  return text.match(/[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+/g) ?? []
}

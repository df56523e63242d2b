import { existsSync, globSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { slug } from '../manual/slug.ts'
import { type Findings, isMarkdown, isSource, lineOf, type ProjectFile, root } from './files.ts'

/** A path below one of these is meant as one of this repository. */
const named = /(?:^|[\s(])((?:packages|docs|e2e|bench|scripts|changes|examples|\.ci|\.github)\/[\w./*{},<>-]*)/

/** Relative links of texts lead to files and headings; files that are named exist. */
export function checkLinks(files: readonly ProjectFile[]): Findings {
  const problems: string[] = []
  let count = 0
  const fail = ({ path, text }: ProjectFile, index: number, what: string) =>
    problems.push(`${path}:${lineOf(text, index)}: ${what}`)

  for (const file of files.filter(isMarkdown)) {
    const text = withoutFences(file.text)
    for (const match of text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g)) {
      const link = (match[1] ?? match[2])!
      if (/^[a-z]+:/i.test(link)) continue
      count++
      const problem = problemOf(link, file, files)
      if (problem) fail(file, match.index, problem)
    }
    for (const match of text.matchAll(/`([^`\n]+)`/g)) {
      const path = named.exec(match[1]!)?.[1]
      // Made by running something, or a pattern with a blank to fill in.
      if (path === undefined || path.includes('<') || path.startsWith('bench/out/')) continue
      count++
      if (globSync(path, { cwd: root }).length === 0) fail(file, match.index, `there is no file ${path}`)
    }
  }
  for (const file of files.filter(isSource)) {
    for (const match of file.text.matchAll(/\bdocs\/[\w/-]+\.(?:md|svg)\b/g)) {
      count++
      if (!existsSync(join(root, match[0]))) fail(file, match.index, `there is no file ${match[0]}`)
    }
  }
  return { what: 'links', count, problems }
}

function problemOf(link: string, file: ProjectFile, files: readonly ProjectFile[]): string | undefined {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? file.path : normalize(join(dirname(file.path), decodeURIComponent(path)))
  if (!existsSync(join(root, target))) return `the link ${link} leads nowhere`
  if (anchor === undefined) return undefined
  const page = files.find(other => other.path === target)
  return page && anchorsOf(page.text).has(anchor) ? undefined : `the link ${link} leads to no heading`
}

/** Headings as anchors, the way the common hosts make them. */
function anchorsOf(text: string): Set<string> {
  const headings = withoutFences(text).matchAll(/^#+ +(.+)$/gm)
  return new Set([...headings].map(([, heading]) => slug(heading!)))
}

/** Keeps the line count. */
function withoutFences(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, block => block.replaceAll(/[^\n]/g, ''))
}

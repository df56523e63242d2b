import { type Findings, lineOf, type ProjectFile } from './files.ts'

/** Hosts are put together here, so that this file does not name them either. */
const hosts = [
  ['registry', 'npmjs', 'org'],
  ['npmjs', 'com'],
  ['registry', 'yarnpkg', 'com'],
  ['npm', 'pkg', 'github', 'com'],
  ['pypi', 'org'],
  ['crates', 'io'],
  ['deb', 'debian', 'org'],
].map(parts => parts.join('.'))

/** Paths that exist on one machine only. */
const places = [
  ['', 'work', ''],
  ['', 'root', ''],
  ['', 'tmp', 'bash'],
].map(parts => parts.join('/'))

const forbidden = new RegExp(
  [
    ...hosts.map(host => `(?<![\\w.-])(?:[\\w-]+\\.)*${host.replaceAll('.', '\\.')}\\b`),
    ...places.map(place => `(?<![\\w.)}\\]*-])${place}`),
  ].join('|'),
  'gi',
)

/** No package registry's host, no path of somebody's machine. */
export function checkWords(files: readonly ProjectFile[]): Findings {
  const problems = files.flatMap(({ path, text }) =>
    [...text.matchAll(forbidden)].map(match => `${path}:${lineOf(text, match.index)}: must not name ${match[0]}`),
  )
  return { what: 'files', count: files.length, problems }
}

/** What is deployed, as the repository has it. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments, parse as parseYaml } from 'yaml'

const repository = fileURLToPath(new URL('../..', import.meta.url))

export const pathOf = (path: string): string => `${repository}${path}`

export const read = (path: string): Promise<string> => readFile(pathOf(path), 'utf8')

export async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await read(path)) as T
}

/** Of compose, which merges by `<<`. A key that is there twice is refused. */
export async function readMerged(path: string): Promise<unknown> {
  return parseYaml(await read(path), { merge: true })
}

/** Every document of a file. */
export async function readDocuments(path: string): Promise<unknown[]> {
  // YAML 1.1, as Kubernetes reads it: 0440 is octal.
  return parseAllDocuments(await read(path), { version: '1.1' }).map(document => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors.join('; ')}`)
    return document.toJS()
  })
}

/** A name of an image that says which one it is. */
export const pinned = /^[a-z0-9][a-z0-9./-]*:(?!latest$)[\w][\w.-]*$/

export function release(): Promise<{ version: string }> {
  return readJson<{ version: string }>('packages/cli/package.json')
}

/** Settings files and the files that hold single secrets. Those that others may read are refused (reliability 6). */
import { readFileSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { LibrarianError } from '@arriero/api'
import { parse as parseYaml } from 'yaml'
import { Secret } from './secret.ts'

/** Undefined where there is no such file. JSON by its name's ending, else YAML, of which JSON is a part. */
export function readSettingsFile(path: string): Record<string, unknown> | undefined {
  const text = readText(path)
  if (text === undefined) return undefined
  const parsed = parse(path, text)
  if (parsed === null || parsed === undefined) return {}
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    throw refuse(`Cannot read the settings in ${path}: the file must hold one object of keys and values`)
  }
  return parsed as Record<string, unknown>
}

function parse(path: string, text: string): unknown {
  try {
    return extname(path) === '.json' ? JSON.parse(text) : parseYaml(text, { prettyErrors: false })
  } catch (error) {
    const linePos = (error as { linePos?: readonly { line: number }[] }).linePos
    const where = linePos?.[0] ? ` (line ${linePos[0].line})` : ''
    // Parsers quote what they met, which may be a secret.
    throw refuse(
      `Cannot read the settings in ${path}: it must be ${extname(path) === '.json' ? 'JSON' : 'YAML'}${where}`,
    )
  }
}

/** A secret that has a file of its own; blanks around it are not part of it. */
export function readSecretFile(path: string, key: string): Secret {
  const text = readText(path, `${key}: `)
  if (text === undefined) throw refuse(`Cannot read ${key}: there is no file ${path}`)
  refuseIfPublic(path, `the secret that ${key} names`)
  return new Secret(text.trim())
}

/** @param holds what the file holds, for the message */
export function refuseIfPublic(path: string, holds: string): void {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode
  if (mode === undefined || (mode & 0o006) === 0) return
  throw new LibrarianError(
    'Configuration',
    `Cannot use ${path}: it holds ${holds} and everybody on this machine may read or change it`,
    { remedy: `Run: chmod o-rwx '${resolve(path).replaceAll("'", `'\\''`)}'` },
  )
}

function readText(path: string, holds = ''): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw refuse(`Cannot read ${holds}${path}: ${code ?? 'unknown reason'}`)
  }
}

function refuse(message: string): LibrarianError {
  return new LibrarianError('Configuration', message)
}

/** Profiles of gen3-client: sections of an ini file (gen3 2.6). Read, never written. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ProgramError } from '../errors.ts'
import { systemReason } from '../system-error.ts'

/** What `--cred` takes for the API key of a profile. */
export function profileCredentials(name: string, env: Readonly<Record<string, string | undefined>>): string {
  const path = join(env.HOME ?? homedir(), '.gen3', 'gen3_client_config.ini')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw refuse(`Cannot read ${path}: ${systemReason(error)}`, error)
  }
  const sections = parseIni(text)
  const profile = sections.get(name)
  if (!profile)
    throw refuse(`There is no profile '${name}' in ${path}; it has ${[...sections.keys()].join(', ') || 'none'}`)
  const key = profile.get('api_key')
  if (!key) throw refuse(`The profile '${name}' in ${path} has no api_key`)
  return `apikey:///${key}`
}

function parseIni(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>()
  let section: Map<string, string> | undefined
  for (const line of text.split(/\r?\n/)) {
    const head = /^\s*\[([^\]]+)\]\s*$/.exec(line)
    if (head) {
      section = new Map()
      sections.set((head[1] as string).trim(), section)
      continue
    }
    const pair = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line)
    if (pair) section?.set((pair[1] as string).toLowerCase(), pair[2] as string)
  }
  return sections
}

function refuse(message: string, cause?: unknown): ProgramError {
  return new ProgramError('Usage', message, { cause })
}

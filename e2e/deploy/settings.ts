/** Settings of a deployment, moved to places of a test: everything else is as it is deployed. */
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { loadSettings, type Settings } from '../../packages/librarian/src/index.ts'
import { read } from './files.ts'

export interface PlacedSettings {
  readonly path: string
  readonly values: Record<string, unknown>
}

/**
 * Writes them into a folder: `/srv/arriero` and `/run/secrets` are there, with the directories of the stores and secrets.
 *
 * @param change what the place of the test makes different, by key
 */
export async function placeSettings(
  path: string,
  folder: string,
  change: (values: Record<string, unknown>) => Record<string, unknown> = values => values,
): Promise<PlacedSettings> {
  const data = join(folder, 'data')
  const secrets = join(folder, 'secrets')
  for (const each of ['files', 'staging', 'scratch']) await mkdir(join(data, each), { recursive: true })
  await mkdir(secrets, { recursive: true })
  const text = (await read(path))
    .replaceAll(/\/srv\/arriero|\/global\/cfs\/project\/librarian/g, data)
    .replaceAll(/\/run\/secrets(\/arriero)?/g, secrets)
  for (const [, name] of text.matchAll(/secrets\/(\w+)/g)) {
    const content = name === 'encryption_key' ? randomBytes(32).toString('base64url') : 'a password for tests only'
    await writeFile(join(secrets, name!), `${content}\n`, { mode: 0o440 })
  }
  const values = change(parse(text) as Record<string, unknown>)
  const placed = join(folder, 'arriero.yaml')
  await writeFile(placed, JSON.stringify(values), { mode: 0o600 })
  return { path: placed, values }
}

/** As the server reads them. */
export async function settingsOf(path: string): Promise<{ settings: Settings }> {
  const folder = await mkdtemp(join(tmpdir(), 'arriero-settings-'))
  try {
    const { path: placed } = await placeSettings(path, folder)
    return { settings: loadSettings({ env: {}, path: placed }) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** How sources are asked on behalf of a job: with credentials of the settings, or with none; never with the machine's own. */
import { readFile } from 'node:fs/promises'
import { LibrarianError } from '@arriero/api'
import {
  type CommonsOptions,
  type FetchOptions,
  type GsOptions,
  readCredentials,
  type S3Options,
} from '@arriero/transfer'
import type { IngestCredentials, IngestSettings } from '../../config.ts'

/** Nothing is signed, and nothing is taken from the server's environment: its identity is not the users'. */
const anonymous = {
  s3: { anonymous: true, environment: {} } satisfies S3Options,
  gs: { anonymous: true, endpoint: 'https://storage.googleapis.com' } satisfies GsOptions,
}

export async function sourceOptions(
  settings: Pick<IngestSettings, 'credentials'>,
  name: string | undefined,
): Promise<Partial<FetchOptions>> {
  if (name === undefined) return anonymous
  const credentials = Object.hasOwn(settings.credentials, name) ? settings.credentials[name] : undefined
  if (credentials) return { ...anonymous, ...(await optionsOf(credentials)) }
  throw new LibrarianError('Configuration', `Cannot use the credentials ${name}: the settings have none of this name`)
}

async function optionsOf(credentials: IngestCredentials): Promise<Partial<FetchOptions>> {
  switch (credentials.kind) {
    case 'basic': {
      const pair = `${credentials.username}:${await secretIn(credentials.password_file)}`
      return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } }
    }
    case 'bearer':
      return { headers: { authorization: `Bearer ${await secretIn(credentials.token_file)}` } }
    case 's3': {
      const { access_key_id: accessKeyId, endpoint, region } = credentials
      const secretAccessKey = await secretIn(credentials.secret_access_key_file)
      return { s3: { credentials: { accessKeyId, secretAccessKey }, endpoint, region, environment: {} } }
    }
    case 'gs':
      return { gs: { credentialsFile: credentials.credentials_file, endpoint: anonymous.gs.endpoint } }
    case 'drs': {
      const { credential } = await readCredentials(credentials.credentials_file)
      return { commons: { credentials: [credential] } satisfies CommonsOptions }
    }
  }
}

async function secretIn(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new LibrarianError(
      'Configuration',
      'Cannot read a secret of the ingest settings: its file must be readable',
      {
        cause,
      },
    )
  }
}

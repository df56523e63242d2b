import { describe, expect, test } from 'vitest'
import { TransferError } from '../../errors.ts'
import { type GsOptions, gsSettings } from './options.ts'

describe('gsSettings()', () => {
  test.each<[GsOptions, Record<string, string>, string, string]>([
    [{}, {}, 'https://storage.googleapis.com', 'credentials'],
    [{ anonymous: true }, {}, 'https://storage.googleapis.com', 'anonymous'],
    [{ accessToken: ' t\n' }, {}, 'https://storage.googleapis.com', 'token'],
    [{ endpoint: 'https://storage.example.org/' }, {}, 'https://storage.example.org', 'credentials'],
    [{ endpoint: 'http://127.0.0.1:9/x/storage/v1/' }, {}, 'http://127.0.0.1:9/x', 'credentials'],
    [{}, { STORAGE_EMULATOR_HOST: 'emulator:4443' }, 'http://emulator:4443', 'anonymous'],
    [{ endpoint: 'https://e' }, { STORAGE_EMULATOR_HOST: 'emulator:4443' }, 'https://e', 'credentials'],
    [{ endpoint: 'http://far', anonymous: true }, {}, 'http://far', 'anonymous'],
  ])('of %j in %j is %s as %s', (options, environment, endpoint, identity) => {
    expect(gsSettings(options, environment)).toMatchObject({ endpoint, identity: { is: identity } })
  })

  test.each<[GsOptions, Record<string, string>]>([
    [{ anonymous: true, accessToken: 'x' }, {}],
    [{ accessToken: 'x', credentialsFile: 'y' }, {}],
    [{ endpoint: 'http://far' }, {}],
    [{ accessToken: 'x' }, { STORAGE_EMULATOR_HOST: 'emulator:4443' }],
    [{ endpoint: 'https://me:pw@host' }, {}],
    [{ endpoint: 'ftp://host' }, {}],
    [{ endpoint: 'https://' }, {}],
  ])('refuses %j in %j', (options, environment) => {
    expect(() => gsSettings(options, environment)).toThrow(TransferError)
  })
})

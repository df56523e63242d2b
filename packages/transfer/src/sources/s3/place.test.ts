import { describe, expect, test } from 'vitest'
import { type Container, parseS3Uri } from './address.ts'
import type { S3Options } from './options.ts'
import { firstPlace, placeAfter, regionOfHost } from './place.ts'
import { settingsOf } from './settings.ts'

const bucket = (name: string): Container => ({ name })
const where = (container: Container, options: S3Options = {}, environment = {}) => {
  const { origin, base, region } = firstPlace(container, settingsOf(options, environment))
  return `${origin}${base} ${region}`
}

describe('firstPlace()', () => {
  test.each<[string, S3Options, string]>([
    ['data', {}, 'https://data.s3.us-east-1.amazonaws.com us-east-1'],
    ['data', { region: 'eu-west-1' }, 'https://data.s3.eu-west-1.amazonaws.com eu-west-1'],
    ['data', { region: 'cn-north-1' }, 'https://data.s3.cn-north-1.amazonaws.com.cn cn-north-1'],
    ['data', { dualstack: true }, 'https://data.s3.dualstack.us-east-1.amazonaws.com us-east-1'],
    ['data', { fips: true, dualstack: true }, 'https://data.s3-fips.dualstack.us-east-1.amazonaws.com us-east-1'],
    ['data', { accelerate: true }, 'https://data.s3-accelerate.amazonaws.com us-east-1'],
    ['data', { forcePathStyle: true }, 'https://s3.us-east-1.amazonaws.com/data us-east-1'],
    ['with.dots', {}, 'https://s3.us-east-1.amazonaws.com/with.dots us-east-1'],
    ['Upper_Case', {}, 'https://s3.us-east-1.amazonaws.com/Upper_Case us-east-1'],
    ['data', { endpoint: 'http://localhost:9000/' }, 'http://localhost:9000/data us-east-1'],
    ['data', { endpoint: 'https://h/s3/' }, 'https://h/s3/data us-east-1'],
    ['data', { endpoint: 'https://h', forcePathStyle: false }, 'https://data.h us-east-1'],
    [
      'data',
      { endpoint: 'https://s3.us-west-002.backblazeb2.com' },
      'https://s3.us-west-002.backblazeb2.com/data us-west-002',
    ],
  ])('%s %j → %s', (name, options, expected) => {
    expect(where(bucket(name), options)).toBe(expected)
  })

  test('of an access point is in its own region, whatever was said', () => {
    const { container } = parseS3Uri('s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/mine/key')
    const expected = 'https://mine-123456789012.s3-accesspoint.eu-west-1.amazonaws.com eu-west-1'
    expect(where(container, { region: 'us-west-2' })).toBe(expected)
    expect(() => where(container, { endpoint: 'https://h' })).toThrow(expect.objectContaining({ code: 'Unsupported' }))
  })

  test('the environment speaks where the options do not', () => {
    const environment = {
      AWS_ENDPOINT_URL: 'http://general',
      AWS_ENDPOINT_URL_S3: 'http://s3.example',
      AWS_REGION: 'r-1',
    }
    expect(where(bucket('data'), {}, environment)).toBe('http://s3.example/data r-1')
    expect(where(bucket('data'), { endpoint: 'http://other', region: 'r-2' }, environment)).toBe(
      'http://other/data r-2',
    )
    const ignoring = { ...environment, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true', AWS_USE_DUALSTACK_ENDPOINT: 'true' }
    expect(where(bucket('data'), {}, ignoring)).toBe('https://data.s3.dualstack.r-1.amazonaws.com r-1')
  })

  test.each<S3Options>([
    { endpoint: 'ftp://h' },
    { endpoint: 'h:9000' },
    { endpoint: 'https://me:password@h' },
    { endpoint: 'https://h', accelerate: true },
    { region: 'evil.example/' },
    { anonymous: true, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } },
  ])('refuses %j without showing it', options => {
    expect(() => where(bucket('data'), options)).toThrow(expect.objectContaining({ code: 'Usage' }))
    expect(() => where(bucket('data'), options)).toThrow(expect.not.stringContaining('password'))
  })
})

describe('placeAfter()', () => {
  const amazon = settingsOf({}, {})
  const first = firstPlace(bucket('data'), amazon)

  test.each([
    [{ region: 'eu-west-1' }, 'https://data.s3.eu-west-1.amazonaws.com', 'eu-west-1'],
    [{ host: 'data.s3-us-west-2.amazonaws.com' }, 'https://data.s3.us-west-2.amazonaws.com', 'us-west-2'],
    [{ region: 'us-east-1', host: 'data.s3-1.amazonaws.com' }, 'https://data.s3-1.amazonaws.com', 'us-east-1'],
  ])('%j → %s', (to, origin, region) => {
    expect(placeAfter(first, to, bucket('data'), amazon)).toMatchObject({ origin, region })
  })

  test.each([
    {},
    { region: 'us-east-1' },
    { region: 'evil.example/x' },
    { host: 'evil.example' },
    { host: 'amazonaws.com.evil.example' },
    { host: 'data.s3.us-east-1.amazonaws.com' },
  ])('%j leads nowhere', to => {
    expect(placeAfter(first, to, bucket('data'), amazon)).toBeUndefined()
  })

  test('at an own endpoint only the region of signatures changes', () => {
    const settings = settingsOf({ endpoint: 'http://h:9000' }, {})
    const place = firstPlace(bucket('data'), settings)
    const moved = placeAfter(place, { region: 'here' }, bucket('data'), settings)
    expect(moved).toMatchObject({ origin: 'http://h:9000', base: '/data', region: 'here' })
    expect(placeAfter(place, { host: 'other:9000' }, bucket('data'), settings)).toBeUndefined()
  })
})

test('regionOfHost() reads regions, and nothing else, from names of servers', () => {
  expect(regionOfHost('s3.eu-central-1.amazonaws.com')).toBe('eu-central-1')
  expect(regionOfHost('b.s3-us-west-2.amazonaws.com')).toBe('us-west-2')
  expect(regionOfHost('s3.dualstack.ap-south-1.amazonaws.com')).toBe('ap-south-1')
  expect(regionOfHost('s3.amazonaws.com')).toBeUndefined()
  expect(regionOfHost('objects.example.org')).toBeUndefined()
})

/** The contracts of sources and of listings against vsftpd, in the clear and under TLS. */
import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFtpSource } from '../../../packages/transfer/src/sources/ftp.ts'
import { failureOf, fetchBytes } from '../../../packages/transfer/test/fetch-bytes.ts'
import { describeListing, listAll } from '../../../packages/transfer/test/list-suite.ts'
import { sourceContext } from '../../../packages/transfer/test/source-context.ts'
import { contentOf, describeSource, expectSame } from '../../../packages/transfer/test/source-suite.ts'
import { findVsftpd, startVsftpd, type Vsftpd } from '../../servers/vsftpd.ts'

if (findVsftpd()) describeVsftpd()
else test.skip('NOT RUN vsftpd: it is not installed; run scripts/install-servers.sh', () => {})

type Kind = 'plain' | 'explicit' | 'implicit'

function describeVsftpd(): void {
  let root: string
  let vsftpd: Vsftpd
  let count = 0

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'arriero-ftp-root-'))
    await chmod(root, 0o755)
    vsftpd = await startVsftpd({ root, mostPerAddress: 20 })
  })
  afterAll(async () => {
    await vsftpd?.close()
    await rm(root, { recursive: true, force: true })
  })

  const opener = (kind: Kind) => {
    const context = sourceContext(
      { ftp: kind === 'explicit' ? { tls: 'explicit' } : {} },
      { tls: { ca: readFileSync(vsftpd.caFile, 'utf8') } },
    )
    return { open: (uri: string) => createFtpSource(uri, context), context }
  }

  for (const kind of ['plain', 'explicit', 'implicit'] as const) {
    describeSource(`vsftpd, ${kind}`, {
      async make(content) {
        const name = `content ${++count} %41`
        const path = join(root, name)
        let seconds = 1_700_000_000
        const put = async (bytes: Uint8Array) => {
          await writeFile(path, bytes)
          await utimes(path, seconds, seconds++)
        }
        await put(content)
        const { open, context } = opener(kind)
        return {
          source: open(`${vsftpd[kind]}/${encodeURIComponent(name)}`),
          change: put,
          remove: () => rm(path),
          async [Symbol.asyncDispose]() {
            await context[Symbol.asyncDispose]()
            await rm(path, { force: true })
          },
        }
      },
    })

    describeListing(`vsftpd, ${kind}`, {
      async make(files) {
        const name = `place ${++count}`
        for (const [path, content] of files) {
          await mkdir(dirname(join(root, name, path)), { recursive: true })
          await writeFile(join(root, name, path), content)
        }
        const { open, context } = opener(kind)
        return {
          source: open(`${vsftpd[kind]}/${encodeURIComponent(name)}/`),
          open,
          async [Symbol.asyncDispose]() {
            await context[Symbol.asyncDispose]()
            await rm(join(root, name), { recursive: true })
          },
        }
      },
    })
  }

  describe('vsftpd', () => {
    test('lists names with a dot, leading blanks and bytes that are no UTF-8, and files behind links', async () => {
      const place = join(root, `odd ${++count}`)
      await mkdir(join(place, 'real'), { recursive: true })
      const names = ['.hidden', '  two blanks', 'end ', '-la', 'a -> b', 'total 5']
      for (const name of names) await writeFile(join(place, name), name)
      await writeFile(Buffer.from(`${place}/caf\xe9`, 'latin1'), 'latin1')
      await symlink('real', join(place, 'directory-link'))
      await symlink('.hidden', join(place, 'link'))
      await symlink('nowhere', join(place, 'broken'))
      const { open, context } = opener('plain')
      await using _ = context
      const listed = await listAll(open(`${vsftpd.plain}/${encodeURIComponent(`odd ${count}`)}/`), {
        isRecursive: true,
      })
      expect(listed.map(({ path }) => path).sort()).toEqual([...names, 'link', 'café'].sort())
      for (const { uri, path } of listed) {
        const { bytes } = await fetchBytes(open(uri))
        expect(Buffer.from(bytes).toString()).toBe(path === 'café' ? 'latin1' : path === 'link' ? '.hidden' : path)
      }
    })

    test('a directory that may not be read is Denied and no empty listing', async () => {
      const place = join(root, `closed ${++count}`)
      await mkdir(join(place, 'shut'), { recursive: true })
      await writeFile(join(place, 'shut', 'file'), 'x')
      await chmod(join(place, 'shut'), 0o311)
      const { open, context } = opener('plain')
      await using _ = context
      const source = open(`${vsftpd.plain}/${encodeURIComponent(`closed ${count}`)}/`)
      expect(await failureOf(listAll(source, { isRecursive: true }))).toMatchObject({ code: 'Denied' })
      await chmod(join(place, 'shut'), 0o755)
    })

    test('a file that may not be read is Denied', async () => {
      await writeFile(join(root, 'secret'), 'x')
      await chmod(join(root, 'secret'), 0)
      const { open, context } = opener('plain')
      await using _ = context
      expect(await failureOf(fetchBytes(open(`${vsftpd.plain}/secret`)))).toMatchObject({ code: 'Denied' })
      await rm(join(root, 'secret'))
    })

    test('a login that is refused is Denied, and says neither name nor password', async () => {
      const { open, context } = opener('plain')
      await using _ = context
      const uri = vsftpd.plain.replace('//', '//somebody:hunter2@')
      const failure = await failureOf(fetchBytes(open(`${uri}/x`)))
      expect(failure).toMatchObject({ code: 'Denied' })
      expect(failure.message).not.toMatch(/somebody|hunter2/)
    })

    test('a certificate that nobody vouches for is refused', async () => {
      await using context = sourceContext()
      const failure = await failureOf(fetchBytes(createFtpSource(`${vsftpd.implicit}/x`, context)))
      expect(failure).toMatchObject({ code: 'Tls', retriable: false })
    })

    test('too many connections are Throttled', async () => {
      await using crowded = await startVsftpd({ root, mostPerAddress: 1 })
      const content = contentOf(3_000_000)
      await writeFile(join(root, 'crowd'), content)
      const { open, context } = opener('plain')
      await using _ = context
      const source = open(`${crowded.plain}/crowd`)
      let second: Promise<Error> | undefined
      const first = await fetchBytes(source, {
        room: 100_000,
        onLanding: landing => {
          second = failureOf(fetchBytes(source))
          void second.then(() => landing.give(3_000_000))
        },
      })
      expectSame(first.bytes, content)
      expect(await second).toMatchObject({ code: 'Throttled', retriable: true })
    })
  })
}

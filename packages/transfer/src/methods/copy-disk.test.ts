/** Local copies onto a disk that is full, and onto one that can clone. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testData } from '../../test/data.ts'
import { hasProgram } from '../../test/find-program.ts'

const program = fileURLToPath(new URL('../../test/programs/try-transfer.ts', import.meta.url))
const MIB = 2 ** 20

let place: string
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'arriero-copy-disk-'))
})
afterEach(() => rm(place, { recursive: true }))

/** Of `try-transfer`, on whatever is mounted at `/mnt` by the script, which vanishes with it. */
function transferWithin(
  options: readonly string[],
  script: string,
  words: readonly string[],
  items: readonly object[],
) {
  const given = [process.execPath, program, 'local', JSON.stringify({ hostnames: [hostname()] }), JSON.stringify(items)]
  const { stdout, stderr, status } = spawnSync('unshare', [...options, 'sh', '-ec', script, 'sh', ...words, ...given], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stdout.trim().split('\n')
}

const mayMount = spawnSync('unshare', ['-Urm', 'sh', '-c', 'mount -t tmpfs none /mnt']).status === 0
if (!mayMount) test.skip('NOT RUN full disks: unshare -Urm may not mount a tmpfs here', () => {})
else
  test('createCopyMethod() says so when the disk is full, and leaves no half file', async () => {
    const source = join(place, 'source')
    await writeFile(source, testData(3 * MIB))
    const item = { source, target: '/mnt/deep/file', size: 3 * MIB, isTree: false }
    const script = 'mount -t tmpfs -o size=1m none /mnt; "$@"; ls -A /mnt/deep | wc -l'
    const [state, left] = transferWithin(['-Urm'], script, [], [item]).slice(-2)
    expect(JSON.parse(state!)).toMatchObject({
      transfer_complete: false,
      failure: expect.stringContaining('disk is full'),
    })
    expect(left).toBe('0')
  })

const mayClone = process.getuid?.() === 0 && hasProgram('mkfs.xfs') && hasProgram('losetup')
const mayLoop = mayClone && spawnSync('losetup', ['--find']).status === 0
if (!mayLoop) test.skip('NOT RUN clones: root, mkfs.xfs and loop devices are needed', () => {})
else
  test('createCopyMethod() clones where the file system can: 64 MiB take no room', async () => {
    const image = join(place, 'image')
    await writeFile(image, '')
    await truncate(image, 400 * MIB)
    expect(spawnSync('mkfs.xfs', ['-q', '-m', 'reflink=1', image]).status).toBe(0)
    const item = { source: '/mnt/source', target: '/mnt/staging/file', size: 64 * MIB, isTree: false }
    // What cannot be written by others is cloned with its mode.
    const script = `mount -o loop "$1" /mnt; shift
      head -c ${64 * MIB} /dev/urandom >/mnt/source; chmod 440 /mnt/source
      sync; df -k --output=used /mnt | tail -1; "$@"; sync; df -k --output=used /mnt | tail -1
      cmp /mnt/source /mnt/staging/file; stat -c %a /mnt/staging/file; umount /mnt`
    const lines = transferWithin(['-m'], script, [image], [item])
    expect(lines.at(-1)).toBe('664')
    expect(Number(lines.at(-2)) - Number(lines[0])).toBeLessThan(1024)
  })

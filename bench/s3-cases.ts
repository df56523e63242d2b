/** S3, served by a real gateway from memory: what the programs do is measured, not a disk behind the server. */
import { execFile } from 'node:child_process'
import { createCipheriv } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Ceph } from '../e2e/servers/ceph.ts'
import { S3Writer } from '../e2e/servers/s3-client.ts'
import type { Case, Ground } from './cases.ts'
import { sameFile, sameFiles } from './compare.ts'
import { outputOf } from './peers.ts'
import * as peers from './s3-peers.ts'
import { bytes, thousands } from './units.ts'

const bucket = 'bench'
const s3Scale = { files: 5000, fileBytes: 100 * 1024 }

export async function s3Case(ground: Ground): Promise<Case> {
  const file = await ground.bigFile()
  const ceph = await ground.s3()
  const place = { bucket, key: file.name, access: ceph }
  // In one request: the entity tag is an MD5, which rclone checks as Arriero does. Of an object of parts only Arriero would.
  await upload(ceph, writer => writer.putFile(bucket, file.name, file.path))
  return {
    id: 's3',
    title: `${bytes(file.bytes)} s3 → file`,
    metric: 'time',
    bytes: file.bytes,
    files: 1,
    contenders: [
      peers.arrieroS3(place),
      peers.rcloneS3(place, 4),
      peers.rcloneS3(place, 16),
      peers.awsCli(place),
      peers.awsSdk(place),
    ],
    claims: [
      { kind: 'faster', subject: 'arriero', rivals: ['rclone', 'rclone 16 streams'], factor: 1.2 },
      { kind: 'faster', subject: 'arriero', rivals: ['AWS SDK'], factor: 2 },
    ],
    keepsOutputs: false,
    scaled: file.bytes === 2 * 2 ** 30 ? undefined : `${bytes(file.bytes)} instead of 2 GiB`,
    prepare: async () => void (await promisify(execFile)('sh', ['-c', 'cat "$0" >/dev/null', file.path])),
    check: directory => sameFile(outputOf(directory), file.path),
  }
}

export async function s3ManyCase(ground: Ground): Promise<Case> {
  const files = Math.min(ground.files, s3Scale.files)
  const originals = join(ground.root, 's3-small')
  const names = await makeFiles(originals, files)
  const ceph = await ground.s3()
  const prefix = 'many/'
  await upload(ceph, async writer => {
    for (const name of names) await writer.put(bucket, prefix + name, await readFile(join(originals, name)))
  })
  const list = join(ground.root, 's3-many.urls.txt')
  await writeFile(list, names.map(name => `s3://${bucket}/${prefix}${name}\n`).join(''))
  const place = { bucket, key: prefix, access: ceph }
  return {
    id: 's3-many',
    title: `${thousands(files)} objects of 100 KiB`,
    metric: 'time',
    bytes: files * s3Scale.fileBytes,
    files,
    contenders: [peers.arrieroS3List(place, list), peers.rcloneS3Many(place), peers.awsCliMany(place)],
    claims: [{ kind: 'faster', subject: 'arriero', rivals: ['rclone --transfers 16'], factor: 1.5 }],
    keepsOutputs: true,
    scaled: files === s3Scale.files ? undefined : `${thousands(files)} objects instead of ${thousands(s3Scale.files)}`,
    check: directory => sameFiles(directory, names, name => readFile(join(originals, name))),
  }
}

async function upload(ceph: Ceph, put: (writer: S3Writer) => Promise<void>): Promise<void> {
  const writer = new S3Writer(ceph)
  await writer.makeBucket(bucket)
  await put(writer)
  writer.close()
}

async function makeFiles(directory: string, count: number): Promise<string[]> {
  await mkdir(directory)
  const stream = createCipheriv('aes-256-ctr', Buffer.alloc(32, 9), Buffer.alloc(16))
  const zeros = Buffer.alloc(s3Scale.fileBytes)
  const names = Array.from({ length: count }, (_, index) => `${String(index).padStart(5, '0')}.bin`)
  for (const name of names) await writeFile(join(directory, name), stream.update(zeros))
  return names
}

import { type Command, Option } from 'commander'
import { librarianOption } from '../librarian/client.ts'
import { progressModes } from '../progress/with-progress.ts'
import { confirm, ingest } from '../sneakernet/ingest.ts'
import { giveUp, key, trust } from '../sneakernet/keys.ts'
import { pack } from '../sneakernet/pack.ts'
import { status } from '../sneakernet/status.ts'
import type { Run } from './define.ts'

export function define(command: Command, run: Run): void {
  command.configureHelp({ ...command.configureHelp(), subcommandTerm: each => each.name() })
  command.addOption(librarianOption()).action(run(status))
  const sub = (call: string, summary: string) => command.command(call).description(summary).addOption(librarianOption())
  const progress = () => new Option('--progress <KIND>', 'bar on a terminal, else plain lines').choices(progressModes)
  sub('pack', 'put files onto a disk that is carried to another librarian')
    .addOption(new Option('--to <LIBRARIAN>', 'for whom').makeOptionMandatory())
    .addOption(new Option('--disk <DIR>', 'where the empty disk is mounted').makeOptionMandatory())
    .addOption(new Option('--store <NAME>', 'files with a copy on this store (default: all files)'))
    .addOption(new Option('--files <LIST>', 'of the names in this file alone, one a line; - is stdin'))
    .addOption(new Option('--label <TEXT>', 'what is written on its box'))
    .addOption(progress())
    .action(run(pack))
    .addHelpText('after', packHelp)
  sub('status [disk]', 'show what is packed, in transit, arrived and confirmed; of one disk, each file').action(
    run(status),
  )
  sub('ingest <directory>', 'take the files of a disk that has come')
    .addOption(new Option('--receipt <FILE>', 'write what is kept, signed, to be carried back'))
    .addOption(new Option('--report <FILE>', 'write what became of each, as JSON lines'))
    .addOption(progress())
    .action(run(ingest))
    .addHelpText('after', ingestHelp)
  sub('confirm <receipt>', 'bring back what another librarian has signed for').action(run(confirm))
  sub('give-up <disk>', 'say that a disk will not arrive: its files may go another way').action(run(giveUp))
  sub('key', 'print the key with which this librarian signs').action(run(key))
  sub('trust <name> <key>', 'believe what another librarian signs with this key').action(run(trust))
  command.addHelpText(
    'after',
    `
Examples:
  arriero sneakernet pack --to chile --store files --disk /mnt/disk
  arriero sneakernet status
  arriero sneakernet ingest /mnt/disk --receipt chile.receipt
  arriero sneakernet confirm chile.receipt

For administrators. Nothing is deleted where it came from; a disk that is lost
costs a disk. \`sha256sum -c manifest-sha256.txt\` on the disk works without us.`,
  )
}

const packHelp = `
Examples:
  arriero sneakernet pack --to chile --disk /mnt/disk
  arriero sneakernet pack --to chile --files names.txt --disk /mnt/disk --label 7

Only what the other librarian lacks and is not on its way to it. The disk must be
empty; every byte is read back from it before it is called packed. The same
command again continues, and with another empty disk takes what had no room.`

const ingestHelp = `
Examples:
  arriero sneakernet ingest /mnt/disk
  arriero sneakernet ingest /mnt/disk --receipt chile.receipt --report disk.jsonl

Run it where the disk is; the librarian may be elsewhere. Every byte is compared
with what was signed. The same command again continues, and changes nothing where
all was taken. Exit code 1 when a file could not be taken; the others are.`

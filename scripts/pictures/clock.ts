/**
 * A clock that is elsewhere in time, for programs that are started: what librarians see in two days can be had within some minutes. It goes
 * on as fast as the real one. Needs libfaketime, since a catalogue asks its database for the time, and that the system.
 */
import { globSync } from 'node:fs'

/**
 * Of all that is started from here on with the environment of this process.
 *
 * @param time milliseconds of the epoch
 * @throws where libfaketime is not installed
 */
export function setClock(time: number): void {
  const [library] = globSync('/usr/lib/{,*/}faketime/libfaketimeMT.so.1')
  if (library === undefined) throw new Error('libfaketime must be installed: apt-get install libfaketime')
  Object.assign(process.env, {
    LD_PRELOAD: library,
    FAKETIME: `${((time - Date.now()) / 1000).toFixed(3)}`,
    // Pauses and files are as they are.
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  })
}

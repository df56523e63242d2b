#!/usr/bin/env node
// biome-ignore-all lint/style/useNodejsImportProtocol: Nodes before 14.18 do not know `node:`
/* `librarian X` is `arriero librarian X`: scripts that call the older program by its name find this one. */
'use strict'

process.argv.splice(2, 0, 'librarian')
require('./arriero.js')

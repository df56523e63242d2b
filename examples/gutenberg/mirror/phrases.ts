/** Parts of sentences that fit together in any choice, by language. */
export interface Phrases {
  readonly who: readonly string[]
  readonly did: readonly string[]
  readonly what: readonly string[]
  readonly where: readonly string[]
  readonly chapter: string
}

export type Language = 'English' | 'French' | 'German' | 'Spanish' | 'Greek'

export const phrases: Readonly<Record<Language, Phrases>> = {
  English: {
    who: ['the old captain', 'her sister', 'nobody in the village', 'the miller', 'a stranger', 'my uncle'],
    did: ['remembered', 'had never forgotten', 'looked for', 'would have sold', 'described', 'carried away'],
    what: ['the letter', 'a lantern without oil', 'the song of the ferrymen', 'every word of it', 'the grey mare'],
    where: ['beyond the river', 'until the clock struck nine', 'in spite of the rain', 'by the garden wall', 'at last'],
    chapter: 'CHAPTER',
  },
  French: {
    who: ['le vieux garçon', 'sa mère', 'un étranger', 'la fée', 'le maître d’école'],
    did: ['avait oublié', 'cherchait', 'préférait', 'regardait déjà', 'n’aimait guère', 'fît porter'],
    what: ['la forêt', 'une lettre cachetée', 'le château où il naquit', 'l’été passé', 'ces âmes légères'],
    where: ['au-delà de la rivière', 'là-bas', 'jusqu’à l’aube', 'malgré la grêle', 'près du chêne'],
    chapter: 'CHAPITRE',
  },
  German: {
    who: ['der alte Müller', 'ihre Schwester', 'ein Fremder', 'die Königin', 'niemand im Dorfe', 'der Jäger'],
    did: ['vergaß', 'hörte', 'suchte', 'erzählte und verschwieg', 'liebte', 'trug'],
    what: ['das Märchen', 'die Straße', 'ein großes Geheimnis', 'den Brief', 'die schöne Mühle', 'alles Übrige'],
    where: ['über dem Fluß', 'früh am Morgen', 'trotz des Regens', 'bis zur Tür', 'für immer'],
    chapter: 'KAPITEL',
  },
  Spanish: {
    who: ['el niño', 'la señora', 'un pingüino de cartón', 'mi tío', 'el capitán', 'nadie'],
    did: ['olvidó', 'buscaba', 'soñó con', 'había visto', 'contó', 'llevó consigo'],
    what: ['el camino', 'la canción', 'aquella mañana', 'un árbol sin sombra', 'su corazón', 'la última página'],
    where: ['más allá del río', 'por fin', 'al año siguiente', 'según decían', 'en la montaña'],
    chapter: 'CAPÍTULO',
  },
  Greek: {
    who: ['ὁ γέρων', 'ἡ ἀδελφή', 'ξένος τις', 'ὁ ναύτης', 'οὐδείς'],
    did: ['εἶδε', 'ἐζήτει', 'ἔλεγε', 'ἐφίλησε', 'ἔφερε'],
    what: ['τὸν ποταμόν', 'τὴν θάλασσαν', 'τὸν λόγον', 'τὴν ᾠδήν', 'τὸ δένδρον'],
    where: ['πρὸ τῆς πόλεως', 'ἐν τῷ κήπῳ', 'μετὰ τὸν χειμῶνα', 'ὡς ἔοικε — οἴμοι', 'πέραν τοῦ ὄρους'],
    chapter: 'ΚΕΦΑΛΑΙΟΝ',
  },
}

/** Counts the tokens (o200k) of texts: an array of strings in, an array of numbers out. */

import { text } from 'node:stream/consumers';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';

const texts = JSON.parse(await text(process.stdin));
console.log(JSON.stringify(texts.map((it) => countTokens(it, { disallowedSpecial: new Set() }))));

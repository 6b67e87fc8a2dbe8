import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'node:test';

const folder = new URL('../../extension/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8'));

test('the extension asks for what it uses and nothing else', () => {
  assert.deepEqual(manifest.permissions.toSorted(), [
    'alarms',
    'downloads',
    'notifications',
    'pageCapture',
    'scripting',
    'storage',
    'tabGroups',
    'tabs',
    'webNavigation',
  ]);
  assert.deepEqual(manifest.host_permissions, ['<all_urls>']);
  for (const key of [
    'content_scripts',
    'web_accessible_resources',
    'externally_connectable',
    'optional_permissions',
    'optional_host_permissions',
  ]) {
    assert.equal(manifest[key], undefined, key);
  }
});

test('its pages run its own scripts alone and talk to this machine alone', () => {
  const policy = Object.fromEntries(
    manifest.content_security_policy.extension_pages.split(';').map((rule) => {
      const [name, ...sources] = rule.trim().split(' ');
      return [name, sources.join(' ')];
    }),
  );
  assert.equal(policy['default-src'], "'none'");
  assert.equal(policy['script-src'], "'self'");
  assert.equal(policy['connect-src'], 'http://127.0.0.1:* ws://127.0.0.1:*');
  for (const name of ['base-uri', 'form-action', 'frame-ancestors']) assert.equal(policy[name], "'none'", name);
});

test('it names the oldest supported Chrome, and has an icon of each size', () => {
  assert.match(manifest.minimum_chrome_version, /^\d+$/);
  for (const [size, file] of Object.entries(manifest.icons)) {
    const png = readFileSync(new URL(file, folder));
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [Number(size), Number(size)], file);
  }
});

test('the key gives the id that the documents name', () => {
  const hash = createHash('sha256').update(Buffer.from(manifest.key, 'base64')).digest('hex').slice(0, 32);
  const id = [...hash].map((digit) => String.fromCharCode(97 + Number.parseInt(digit, 16))).join('');
  assert.ok(readFileSync(new URL('README.md', folder), 'utf8').includes(id), id);
});

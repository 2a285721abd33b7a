<?php
// SPDX-License-Identifier: Apache-2.0
/**
 * Before a back end sends an event (Conversions API, Measurement Protocol): has this visitor agreed?
 * PHP 8.1 or newer with sodium, which comes with it.
 *
 *     php check_state.php SERVER SITE VENDOR PURPOSE…
 *
 * reads one Cookie header a line and answers each with true or false. See docs/formats/cookie.md, section 4.
 * In a page: (new StateCheck($server, $site, $file))->allows($_SERVER['HTTP_COOKIE'] ?? '', $vendor, $purposes)
 */

declare(strict_types=1);

/** The choices of one site's visitors, checked offline. In doubt the answer is no. */
final class StateCheck
{
    private const LONGEST_TOKEN = 512;
    private const LONGEST_CHOICE = 395 * 86400; // no site file may ask for more
    private const CLOCK_SKEW = 60;
    // How long keys are kept, and how soon they may be asked for again when a token names one that is not among them.
    private const KEEP = 86400;
    private const ASK_AGAIN = 300;

    /** @var array{keys: array<string, string>, ends: array<string, int>, fetched_at: int, asked_at: int} */
    private array $known = ['keys' => [], 'ends' => [], 'fetched_at' => 0, 'asked_at' => 0];

    /**
     * A page lives for one request: $file keeps the keys between them. Only the site may write there, and no
     * visitor read it by its address: who can write it says whose tokens hold.
     */
    public function __construct(private string $server, private string $site, private ?string $file = null)
    {
        $kept = $file !== null && is_file($file) ? json_decode((string) file_get_contents($file), true) : null;
        if (is_array($kept)) {
            $this->known = array_intersect_key($kept, $this->known) + $this->known;
        }
    }

    /** Whether the Cookie header of a request lets an event for these purposes go to this vendor. */
    public function allows(string $cookies, string $vendor, array $purposes): bool
    {
        try {
            $claims = $this->claims(self::token($cookies));
            // A vendor that the visitor answered for itself goes by that answer, any other by its purposes.
            return self::isGranted($claims->vendors ?? new stdClass(), $vendor)
                ?? in_array(true, array_map(fn ($key) => self::isGranted($claims->grants ?? null, $key), $purposes), true);
        } catch (Throwable) {
            return false;
        }
    }

    /** Null where there is no answer. */
    private static function isGranted(stdClass $answers, string $key): ?bool
    {
        return property_exists($answers, $key) ? $answers->$key === true : null;
    }

    private function claims(string $token): stdClass
    {
        [$head, $payload, $signature] = explode('.', $token);
        $header = json_decode(self::decode($head), true, 8, JSON_THROW_ON_ERROR);
        ksort($header);
        // The algorithm is named here and never taken from the token: the token must not choose how it is checked.
        if ($header !== ['alg' => 'EdDSA', 'kid' => (string) ($header['kid'] ?? ''), 'typ' => 'consent-state+jwt']) {
            throw new UnexpectedValueException('no state token');
        }
        $key = $this->key($header['kid']);
        if (!sodium_crypto_sign_verify_detached(self::decode($signature), "$head.$payload", $key)) {
            throw new UnexpectedValueException('forged');
        }
        $claims = json_decode(self::decode($payload), false, 8, JSON_THROW_ON_ERROR);
        [$made, $ends, $now] = [$claims->iat ?? null, $claims->exp ?? null, time()];
        if (($claims->site ?? null) !== $this->site || !is_int($made) || !is_int($ends)) {
            throw new UnexpectedValueException("another site's, or not dated");
        }
        $retiredAt = $this->known['ends'][$header['kid']] ?? PHP_INT_MAX;
        if ($made > min($now, $retiredAt) + self::CLOCK_SKEW || $ends <= $now || $ends - $made > self::LONGEST_CHOICE) {
            throw new UnexpectedValueException('not in force');
        }
        return $claims;
    }

    private function key(string $kid): string
    {
        $now = time();
        if ($now - $this->known['fetched_at'] > self::KEEP) {
            $this->known['keys'] = [];
        }
        if (!isset($this->known['keys'][$kid]) && $now - $this->known['asked_at'] > self::ASK_AGAIN) {
            $this->known['asked_at'] = $now;
            $this->fetch($now);
            if ($this->file !== null) {
                // Whole or not at all: another request reads it meanwhile.
                $new = $this->file . '.' . bin2hex(random_bytes(8));
                file_put_contents($new, json_encode($this->known));
                rename($new, $this->file);
            }
        }
        return self::decode($this->known['keys'][$kid] ?? throw new UnexpectedValueException('unknown key'));
    }

    private function fetch(int $now): void
    {
        $context = stream_context_create(['http' => ['timeout' => 5]]);
        $address = rtrim($this->server, '/') . '/.well-known/jwks.json';
        $listed = json_decode((string) @file_get_contents($address, false, $context, 0, 1 << 20), true)['keys'] ?? null;
        if (!is_array($listed)) {
            return;
        }
        $good = array_filter(
            $listed,
            fn ($key) => [$key['kty'] ?? '', $key['crv'] ?? '', $key['alg'] ?? ''] === ['OKP', 'Ed25519', 'EdDSA']
                && !array_key_exists('revoked', $key) && (!array_key_exists('exp', $key) || is_int($key['exp']))
        );
        $this->known['keys'] = array_column($good, 'x', 'kid');
        // Since when a key signs no more.
        $this->known['ends'] = array_column($good, 'exp', 'kid');
        $this->known['fetched_at'] = $now;
    }

    private static function token(string $cookies): string
    {
        // Once, and with one state in it: of two, nobody can tell which is the visitor's.
        $cookie = preg_match_all('/(?:^|;)[ \t]*eu-consent=([^;]*)/', $cookies, $match) === 1 ? $match[1][0] : '';
        $token = preg_match_all('/(?:^|&)s=([^&]*)/', $cookie, $match) === 1 ? $match[1][0] : '';
        if (strlen($token) > self::LONGEST_TOKEN || substr_count($token, '.') !== 2) {
            throw new UnexpectedValueException('no token');
        }
        return $token;
    }

    private static function decode(string $part): string
    {
        // Refuses padding, and a last character with bits that other decoders pass over: one token has one spelling.
        return sodium_base642bin($part, SODIUM_BASE64_VARIANT_URLSAFE_NO_PADDING);
    }
}

if (PHP_SAPI === 'cli' && realpath($_SERVER['argv'][0]) === __FILE__) {
    [, $server, $site, $vendor] = $argv;
    $check = new StateCheck($server, $site, getenv('KEYS_FILE') ?: null);
    while (($line = fgets(STDIN)) !== false) {
        echo $check->allows(trim($line), $vendor, array_slice($argv, 4)) ? "true\n" : "false\n";
    }
}

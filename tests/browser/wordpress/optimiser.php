<?php
/**
 * Plays the habit of one optimiser (`?habit=NAME`): scripts wait for the visitor's first act, but for those that its
 * documentation says it passes over. Each knows its own mark or filter alone.
 */

function stand_in_passes_over(string $habit, string $tag): bool
{
    $has = fn (array $parts) => (bool) array_filter($parts, fn ($part) => $part !== '' && str_contains($tag, $part));
    $marked = fn (string $attribute) => (bool) preg_match("/\\s$attribute(=|\\s|>)/", $tag);
    return match ($habit) {
        'wp-rocket' => (bool) array_filter(
            apply_filters('rocket_delay_js_exclusions', array()),
            fn ($pattern) => preg_match('#' . str_replace('#', '\#', $pattern) . '#i', $tag)
        ),
        'wp-rocket-mark' => $marked('nowprocket'),
        'litespeed' => $marked('data-no-defer') || $marked('data-no-optimize'),
        'litespeed-guest' => $has(apply_filters('litespeed_optm_gm_js_exc', array())),
        'perfmatters' => $has(apply_filters('perfmatters_delay_js_exclusions', array())),
        'autoptimize' => $has(array_map('trim', explode(',', apply_filters('autoptimize_filter_js_exclude', 'jquery.min.js')))),
        'siteground' => $has(apply_filters('sgo_javascript_combine_excluded_external_paths', array())),
        'nitropack' => $marked('nitro-exclude'),
        'jetpack-boost' => str_contains($tag, 'data-jetpack-boost="ignore"'),
        'pagespeed' => $marked('data-pagespeed-no-defer'),
        // Rocket Loader reads its mark only where it stands before the address.
        'rocket-loader' => (bool) preg_match('/^<script[^>]*\sdata-cfasync=["\']false["\'][^>]*\ssrc=/', $tag),
    };
}

const STAND_IN_LOADER = <<<'HTML'
<script>addEventListener("pointerdown", () => document.querySelectorAll("script[data-delayed]").forEach((late) => {
  const script = document.createElement("script");
  script.async = false;
  script.src = late.dataset.delayed;
  late.replaceWith(script);
}), { once: true });</script>
HTML;

add_action('template_redirect', function () {
    $habit = isset($_GET['habit']) ? (string) $_GET['habit'] : '';
    if ($habit === '') {
        return;
    }
    ob_start(fn ($page) => preg_replace_callback(
        '/<script\b[^>]*\ssrc=[^>]*>/',
        fn ($match) => stand_in_passes_over($habit, $match[0])
            ? $match[0]
            : preg_replace('/\ssrc=/', ' type="text/delayed" data-delayed=', $match[0]),
        $page
    ) . STAND_IN_LOADER);
});

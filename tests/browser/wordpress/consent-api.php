<?php
/** A stand-in for the plug-in WP Consent API, which speaks as its readme says; and what PHP answers, in the page. */

const STAND_IN_CATEGORIES = array('functional', 'preferences', 'statistics', 'statistics-anonymous', 'marketing');

function wp_has_consent(string $category, ?string $requested_by = null): bool
{
    $type = apply_filters('wp_get_consent_type', '');
    $allowed = !$type || ($_COOKIE["wp_consent_$category"] ?? '') === 'allow';
    return apply_filters('wp_has_consent', $allowed, $category, $requested_by);
}

add_action('wp_enqueue_scripts', function () {
    wp_enqueue_script('wp-consent-api', content_url('mu-plugins/wp-consent-api.js'), array(), '1', true);
}, PHP_INT_MAX - 100);

add_action('wp_footer', function () {
    $answers = array_combine(STAND_IN_CATEGORIES, array_map('wp_has_consent', STAND_IN_CATEGORIES));
    echo '<script type="application/json" id="php-consent">' . wp_json_encode($answers) . '</script>';
    echo '<button id="allow" onclick="wp_set_consent(\'marketing\', \'allow\')">More</button>';
    echo '<button id="deny" onclick="wp_set_consent(\'marketing\', \'deny\')">Less</button>';
});

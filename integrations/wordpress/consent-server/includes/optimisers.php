<?php
/**
 * Keeps what must run at once away from plug-ins that delay, defer, combine or minify scripts: a banner that waits for
 * the first click is a page that nobody was asked on. By marks in the tag, and by each one's filter.
 */

defined( 'ABSPATH' ) || exit;

/** The marks that optimisers pass over: which of them reads which stands in readme.txt. */
const CONSENT_SERVER_MARKS = array(
	'data-cfasync'            => 'false',
	'data-no-optimize'        => '1',
	'data-no-defer'           => '1',
	'data-no-minify'          => '1',
	'data-noptimize'          => '1',
	'data-pagespeed-no-defer' => '1',
	'data-jetpack-boost'      => 'ignore',
	'nowprocket'              => true,
	'nitro-exclude'           => true,
);

/** Parts of addresses that are left alone: the widget's, the bridge's, and the WP Consent API's that it calls. */
function consent_server_excluded(): array {
	$script = wp_parse_url( consent_server_script(), PHP_URL_PATH );
	return $script ? array( $script, 'consent-server/bridge.js', 'wp-consent-api' ) : array();
}

foreach (
	array(
		'litespeed_optimize_js_excludes',
		'litespeed_optm_js_defer_exc',
		'litespeed_optm_gm_js_exc',
		'perfmatters_delay_js_exclusions',
		'perfmatters_defer_js_exclusions',
		'perfmatters_minify_js_exclusions',
		'sgo_javascript_combine_excluded_external_paths',
	) as $consent_server_filter
) {
	add_filter(
		$consent_server_filter,
		function ( $excluded ) {
			return array_merge( (array) $excluded, consent_server_excluded() );
		}
	);
}

// WP Rocket reads regular expressions.
foreach ( array( 'rocket_delay_js_exclusions', 'rocket_exclude_defer_js', 'rocket_exclude_js' ) as $consent_server_filter ) {
	add_filter(
		$consent_server_filter,
		function ( $excluded ) {
			return array_merge( (array) $excluded, array_map( 'preg_quote', consent_server_excluded() ) );
		}
	);
}

add_filter(
	'rocket_minify_excluded_external_js',
	function ( $hosts ) {
		$host = wp_parse_url( consent_server_script(), PHP_URL_HOST );
		return array_merge( (array) $hosts, $host ? array( $host ) : array() );
	}
);

// Autoptimize: text with commas, or an array of flags.
add_filter(
	'autoptimize_filter_js_exclude',
	function ( $excluded ) {
		$added = consent_server_excluded();
		if ( is_array( $excluded ) ) {
			return $excluded + array_fill_keys( $added, '' );
		}
		return implode( ', ', array_filter( array_merge( array( (string) $excluded ), $added ) ) );
	}
);

add_filter(
	'script_loader_tag',
	function ( $tag, $handle ) {
		if ( ! in_array( $handle, array( 'consent-server-bridge', 'wp-consent-api' ), true ) ) {
			return $tag;
		}
		return preg_replace( '/<script(?= [^>]*\bsrc=)/', '<script' . wp_sanitize_script_attributes( CONSENT_SERVER_MARKS ), $tag, 1 );
	},
	10,
	2
);

<?php
/** Nothing stays behind. */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

foreach ( is_multisite() ? get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) : array( 0 ) as $consent_server_blog ) {
	$consent_server_blog ? delete_blog_option( $consent_server_blog, 'consent_server' ) : delete_option( 'consent_server' );
}

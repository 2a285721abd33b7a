<?php
/** The settings: three fields in one option, and the page where they are set. */

defined( 'ABSPATH' ) || exit;

/** What each category of the WP Consent API stands for, as the catalogue of the consent server names its purposes. */
const CONSENT_SERVER_PURPOSES = "preferences = functional, media, support\n"
	. "statistics = analytics\nstatistics-anonymous = analytics\nmarketing = advertising";

/** Server address, site key, and the purposes of each category as text; empty where nothing was set. */
function consent_server_settings(): array {
	$stored   = get_option( CONSENT_SERVER_OPTION );
	$defaults = array( 'server' => '', 'site' => '', 'purposes' => CONSENT_SERVER_PURPOSES );
	return is_array( $stored ) ? array_intersect_key( $stored, $defaults ) + $defaults : $defaults;
}

/** Address of the site's script; empty until server and site are set. */
function consent_server_script(): string {
	$settings = consent_server_settings();
	return $settings['server'] && $settings['site'] ? "{$settings['server']}/widget/{$settings['site']}.js" : '';
}

/** Category to purposes; null where a line is neither empty nor `category = purpose, purpose`. */
function consent_server_purposes( string $text ): ?array {
	$purposes = array();
	foreach ( preg_split( '/\R/', $text, -1, PREG_SPLIT_NO_EMPTY ) as $line ) {
		$category = '(preferences|statistics|statistics-anonymous|marketing)';
		$list     = '([a-z0-9][a-z0-9-]*(?:\s*,\s*[a-z0-9][a-z0-9-]*)*)';
		if ( ! preg_match( "/^\s*$category\s*=\s*$list\s*$/D", $line, $match ) ) {
			return null;
		}
		$purposes[ $match[1] ] = preg_split( '/\s*,\s*/', $match[2] );
	}
	return $purposes;
}

/** The address without what does not belong to it; null where it is none that can be asked. */
function consent_server_address( string $text ): ?string {
	$address = untrailingslashit( esc_url_raw( trim( $text ), array( 'https', 'http' ) ) );
	$parts   = wp_parse_url( $address );
	if ( empty( $parts['host'] ) || array_intersect_key( $parts, array_flip( array( 'user', 'query', 'fragment' ) ) ) ) {
		return null;
	}
	$local = in_array( $parts['host'], array( 'localhost', '127.0.0.1' ), true );
	return 'https' === $parts['scheme'] || $local ? $address : null;
}

/** What may be stored of what was sent. A field that cannot be used keeps what it had, and the page says so. */
function consent_server_sanitize( $sent ): array {
	$sent  = is_array( $sent ) ? array_map( 'strval', array_filter( $sent, 'is_scalar' ) ) : array();
	$kept  = consent_server_settings();
	$clean = array_map( 'sanitize_textarea_field', array_intersect_key( $sent, $kept ) );
	if ( ! empty( $clean['server'] ) ) {
		$clean['server'] = consent_server_address( $clean['server'] );
	}
	if ( ! empty( $clean['site'] ) && ! preg_match( '/^[a-z0-9][a-z0-9-]*$/D', $clean['site'] ) ) {
		$clean['site'] = null;
	}
	if ( isset( $clean['purposes'] ) && null === consent_server_purposes( $clean['purposes'] ) ) {
		$clean['purposes'] = null;
	}
	$faults = array(
		'server'   => __( 'The server address must begin with https:// and have no query.', 'consent-server' ),
		'site'     => __( 'The site key has small letters, digits and hyphens only.', 'consent-server' ),
		'purposes' => __( 'Each line of the purposes names a category, an equals sign, and purposes with commas between them.', 'consent-server' ),
	);
	foreach ( $faults as $field => $fault ) {
		if ( array_key_exists( $field, $clean ) && null === $clean[ $field ] ) {
			add_settings_error( CONSENT_SERVER_OPTION, $field, $fault );
			unset( $clean[ $field ] );
		}
	}
	return $clean + $kept;
}

add_action(
	'admin_init',
	function () {
		register_setting( CONSENT_SERVER_OPTION, CONSENT_SERVER_OPTION, array( 'sanitize_callback' => 'consent_server_sanitize' ) );
	}
);

add_action(
	'admin_menu',
	function () {
		$title = __( 'Consent Server', 'consent-server' );
		add_options_page( $title, $title, 'manage_options', 'consent-server', 'consent_server_page' );
	}
);

/** The page; options.php checks capability and nonce of what it sends. */
function consent_server_page(): void {
	if ( ! current_user_can( 'manage_options' ) ) {
		return;
	}
	$settings = consent_server_settings();
	$fields   = array(
		'server'   => array( __( 'Server address', 'consent-server' ), __( 'As the tag has it before /widget/, such as https://shop.example/_consent', 'consent-server' ) ),
		'site'     => array( __( 'Site key', 'consent-server' ), __( 'As in the site file. No tag is printed until both are set.', 'consent-server' ) ),
		'purposes' => array( __( 'Purposes', 'consent-server' ), __( 'What each category of the WP Consent API stands for: all of these purposes that your notice has must be granted.', 'consent-server' ) ),
	);
	?>
	<div class="wrap">
		<h1><?php echo esc_html( get_admin_page_title() ); ?></h1>
		<form action="options.php" method="post">
			<?php settings_fields( CONSENT_SERVER_OPTION ); ?>
			<table class="form-table" role="presentation">
			<?php foreach ( $fields as $field => list( $label, $help ) ) : ?>
				<?php $id = "consent-server-$field"; ?>
				<?php $name = CONSENT_SERVER_OPTION . "[$field]"; ?>
				<tr>
					<th scope="row"><label for="<?php echo esc_attr( $id ); ?>"><?php echo esc_html( $label ); ?></label></th>
					<td>
					<?php if ( 'purposes' === $field ) : ?>
						<textarea id="<?php echo esc_attr( $id ); ?>" name="<?php echo esc_attr( $name ); ?>" rows="5" class="large-text code"><?php echo esc_textarea( $settings[ $field ] ); ?></textarea>
					<?php else : ?>
						<input id="<?php echo esc_attr( $id ); ?>" name="<?php echo esc_attr( $name ); ?>" value="<?php echo esc_attr( $settings[ $field ] ); ?>" class="regular-text code">
					<?php endif; ?>
						<p class="description"><?php echo esc_html( $help ); ?></p>
					</td>
				</tr>
			<?php endforeach; ?>
			</table>
			<?php submit_button(); ?>
		</form>
	</div>
	<?php
}

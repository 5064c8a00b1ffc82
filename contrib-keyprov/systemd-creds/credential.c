/*-------------------------------------------------------------------------
 *
 * credential.c
 *	  Encrypted credentials of systemd: their text, and their key type.
 *
 * contrib-keyprov/systemd-creds/credential.c
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include <sodium.h>

#include "credential.h"

#define LINE_LEN		76
#define NONCE_MAX		64
#define BANK_SHA256		0x000b	/* TPM_ALG_SHA256 */
#define PCRS_ALL		0xffffff

/* The keys we accept, and the type ids that each may have. */
typedef struct Type
{
	uint8_t		id[TC_CREDENTIAL_ID_BYTES];
	TcCredentialKey key;
} Type;

/* From systemd's creds-util.h: identifiers that stand in every credential. */
static const Type types[] = {
	{{0x5a, 0x1c, 0x6a, 0x86, 0xdf, 0x9d, 0x40, 0x96,
	0xb1, 0xd5, 0xa6, 0x5e, 0x08, 0x62, 0xf1, 0x9a}, TC_KEY_HOST},
	{{0x0c, 0x7c, 0xc0, 0x7b, 0x11, 0x76, 0x45, 0x91,
	0x9c, 0x4b, 0x0b, 0xea, 0x08, 0xbc, 0x20, 0xfe}, TC_KEY_TPM2},
	{{0x93, 0xa8, 0x94, 0x09, 0x48, 0x74, 0x44, 0x90,
	0x90, 0xca, 0xf2, 0xfc, 0x93, 0xca, 0xb5, 0x53}, TC_KEY_HOST_TPM2},
	/* The PCR policy of these two is signed by a key. */
	{{0xfa, 0xf7, 0xeb, 0x93, 0x41, 0xe3, 0x41, 0x2c,
	0xa1, 0xa4, 0x36, 0xf9, 0x5a, 0x29, 0x36, 0x2f}, TC_KEY_TPM2},
	{{0xaf, 0x49, 0x50, 0xa8, 0x49, 0x13, 0x4e, 0xb1,
	0xa7, 0x38, 0x46, 0x30, 0x4f, 0xf3, 0x0c, 0x05}, TC_KEY_HOST_TPM2},
	/* From systemd 262 on: the same four, for the primary key they name. */
	{{0xd4, 0x06, 0x2d, 0xfb, 0x71, 0xad, 0x4c, 0x86,
	0x80, 0x4b, 0x40, 0xef, 0x11, 0x80, 0xf1, 0xfc}, TC_KEY_TPM2},
	{{0x14, 0x14, 0x25, 0x88, 0x18, 0xa2, 0x40, 0xcd,
	0x90, 0x0b, 0xce, 0x86, 0x2d, 0xb5, 0xc7, 0xb9}, TC_KEY_HOST_TPM2},
	{{0x5e, 0x2d, 0x5c, 0x76, 0x03, 0x72, 0x4e, 0xaf,
	0x84, 0x3c, 0x6f, 0xb5, 0xf6, 0x40, 0x98, 0xf5}, TC_KEY_TPM2},
	{{0xaf, 0xbf, 0xea, 0xac, 0xeb, 0x6a, 0x4a, 0x37,
	0x95, 0x41, 0x9d, 0x13, 0x5c, 0x47, 0xf3, 0x7b}, TC_KEY_HOST_TPM2}
};

static const uint8_t null_id[TC_CREDENTIAL_ID_BYTES] = {
	0x05, 0x84, 0x69, 0xda, 0xf6, 0xf5, 0x43, 0x24,
	0x80, 0x05, 0x49, 0xda, 0x0f, 0x8e, 0xa2, 0xfb
};

static const char *const key_names[] = {
	[TC_KEY_HOST] = "host",
	[TC_KEY_TPM2] = "tpm2",
	[TC_KEY_HOST_TPM2] = "host+tpm2"
};

bool
tc_credential_key_named(const char *name, TcCredentialKey *ret_key)
{
	for (int key = TC_KEY_HOST; key <= TC_KEY_HOST_TPM2; key++)
	{
		if (strcmp(name, key_names[key]) == 0)
		{
			*ret_key = (TcCredentialKey) key;
			return true;
		}
	}
	return false;
}

const char *
tc_credential_key_name(TcCredentialKey key)
{
	return key_names[key];
}

bool
tc_credential_name_ok(const char *name, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	if (len < 1 || len > TC_CREDENTIAL_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (name[i] == '\0' ||
			(strchr(letters, name[i]) == NULL &&
			 (i == 0 || strchr("._-", name[i]) == NULL)))
			return false;
	}
	return true;
}

TcExit
tc_credential_from_text(TcSpan text, TcCredential *ret_credential,
						TcReason *reterr_reason)
{
	ret_credential->len = 0;
	if (sodium_base642bin(ret_credential->bytes, sizeof(ret_credential->bytes),
						  (const char *) text.data, text.len, " \t\r\n",
						  &ret_credential->len, /* b64_end= */ NULL,
						  sodium_base64_VARIANT_ORIGINAL) != 0 ||
		ret_credential->len == 0)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the credential is not base64, or too long");
	return TC_EXIT_OK;
}

TcExit
tc_credential_to_text(const TcCredential *credential,
					  char ret_text[TC_CREDENTIAL_TEXT_MAX],
					  TcReason *reterr_reason)
{
	char		line[TC_CREDENTIAL_TEXT_MAX];
	size_t		len;
	size_t		at = 0;

	if (sodium_base64_encoded_len(credential->len,
								  sodium_base64_VARIANT_ORIGINAL) > sizeof(line))
		return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
						"the credential is too long");
	(void) sodium_bin2base64(line, sizeof(line), credential->bytes,
							 credential->len, sodium_base64_VARIANT_ORIGINAL);
	len = strlen(line);
	for (size_t i = 0; i < len; i += LINE_LEN)
	{
		size_t		part = len - i < LINE_LEN ? len - i : LINE_LEN;

		if (at + part + 2 > TC_CREDENTIAL_TEXT_MAX)
			return tc_fault(TC_EXIT_INTERNAL, reterr_reason,
							"the credential is too long");
		memcpy(ret_text + at, line + i, part);
		at += part;
		ret_text[at++] = '\n';
	}
	ret_text[at] = '\0';
	return TC_EXIT_OK;
}

/* Find the key of a type id, or say why there is none. */
static TcExit
find_key(const uint8_t *id, TcCredentialKey *ret_key, TcReason *reterr_reason)
{
	char		hex[2 * TC_CREDENTIAL_ID_BYTES + 1];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		if (memcmp(id, types[i].id, TC_CREDENTIAL_ID_BYTES) == 0)
		{
			*ret_key = types[i].key;
			return TC_EXIT_OK;
		}
	}
	if (memcmp(id, null_id, TC_CREDENTIAL_ID_BYTES) == 0)
		return tc_fault(TC_EXIT_DENIED, reterr_reason,
						"the credential has a null key, which protects nothing: anybody can open and make such credentials");
	(void) sodium_bin2hex(hex, sizeof(hex), id, TC_CREDENTIAL_ID_BYTES);
	return tc_fault(TC_EXIT_DENIED, reterr_reason,
					"the credential has a key of type %s, which is none of host, tpm2 and host+tpm2",
					hex);
}

/* Read the mask and the bank of the PCRs; false if they are not there. */
static bool
read_pcrs(TcReader *reader, TcCredentialHead *ret_head)
{
	uint64_t	mask = tc_read_uint(reader, 8);

	ret_head->sha256 = tc_read_u16(reader) == BANK_SHA256;
	ret_head->pcrs = (uint32_t) (mask & PCRS_ALL);
	return !reader->failed && mask <= PCRS_ALL;
}

TcExit
tc_credential_head(TcSpan bytes, TcCredentialHead *ret_head,
				   TcReason *reterr_reason)
{
	TcReader	reader = tc_reader(bytes);
	uint32_t	nonce_len;
	TcExit		code;

	memset(ret_head, 0, sizeof(*ret_head));
	tc_read_bytes(&reader, ret_head->type_id, TC_CREDENTIAL_ID_BYTES);
	(void) tc_read_u32(&reader);
	(void) tc_read_u32(&reader);
	nonce_len = tc_read_u32(&reader);
	(void) tc_read_u32(&reader);
	if (reader.failed || nonce_len > NONCE_MAX)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the credential is too short, or none of systemd's");
	code = find_key(ret_head->type_id, &ret_head->key, reterr_reason);
	if (code != TC_EXIT_OK)
		return code;

	(void) tc_read_span(&reader, (nonce_len + 7) / 8 * 8);
	if ((ret_head->key & TC_KEY_TPM2) != 0 && !read_pcrs(&reader, ret_head))
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the credential has no PCRs where a TPM needs them");
	if (reader.failed || reader.left == 0)
		return tc_fault(TC_EXIT_DAMAGED, reterr_reason,
						"the credential is too short");
	return TC_EXIT_OK;
}

/*-------------------------------------------------------------------------
 *
 * errors.c
 *	  The errors that more than one face raises, each with one home.
 *
 * src/errors.c
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <sodium.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "envelope.h"
#include "errors.h"
#include "keycat.h"
#include "plaintype.h"
#include "typmod.h"

void
tc_error_no_usage(const char *key_name, Oid roleid)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("permission denied for encryption key \"%s\"", key_name),
			 errdetail("Role \"%s\" lacks USAGE on foreign server \"%s\".",
					   GetUserNameFromId(roleid, true), key_name),
			 superuser_arg(roleid) ?
			 errhint("Superusers need the privilege, too: GRANT USAGE ON FOREIGN SERVER %s TO a role.",
					 quote_identifier(key_name)) : 0));
}

void
tc_error_unknown_key(uint32 key_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("encryption key with id \"#%06x\" does not exist in this database",
					key_id),
			 errhint("The key was dropped, or belongs to another database.")));
}

/* The instance cannot open keys now: say why. */
static void
error_locked(void)
{
	const char *by = tc_slots_locked_by();

	if (by != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("encryption keys are locked"),
				 errdetail("Role \"%s\" called themis_crypt.lock().", by),
				 errhint("Call themis_crypt.unlock().")));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("encryption keys are not unlocked"),
			 errhint("The reason is in themis_crypt.status(), and in the server log.")));
}

void
tc_error_answer(TcAnswer answer, const char *key_name)
{
	const char *name = key_name != NULL ? key_name : "themis_root";

	switch (answer)
	{
		case TC_ANS_LOCKED:
			error_locked();
			break;
		case TC_ANS_TIMEOUT:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the themis_crypt key worker did not answer in time")));
			break;
		case TC_ANS_NOT_ENROLLED:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the root of this database's encryption keys cannot be opened by this machine"),
					 errdetail("This machine is not among the recipients of the root."),
					 errhint("Run \"themis-keyring recover\" with the recovery identity.")));
			break;
		case TC_ANS_UNTRUSTED:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the root of this database is not trusted by this machine"),
					 errdetail("It was made by another machine."),
					 errhint("Compare its fingerprint in themis_crypt.root_records() with what you know, then run \"themis-keyring trust\" and call themis_crypt.unlock().")));
			break;
		case TC_ANS_NO_RECOVERY:
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("no recovery key is enrolled on this machine"),
					 errdetail("If this machine were lost, all encrypted data would be lost with it."),
					 errhint("Make the keyring with a recovery key, or set themis_crypt.allow_no_recovery.")));
			break;
		case TC_ANS_FULL:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("root of encryption keys \"%s\" cannot have more recipients",
							name),
					 errdetail("A root has at most %d recipients, and its record at most %d bytes.",
							   TC_RECIPIENTS_MAX, TC_RECORD_MAX)));
			break;
		case TC_ANS_UNSUPPORTED:
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("encryption key \"%s\" uses a format or algorithm that is not supported here",
							name)));
			break;
		case TC_ANS_MALFORMED:
		case TC_ANS_REJECTED:
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("could not open encryption key \"%s\": authentication failed",
							name),
					 errhint("The options of the foreign server were altered or damaged.")));
			break;
		case TC_ANS_FAILED:
		case TC_ANS_OK:
			break;
	}
	ereport(ERROR,
			(errcode(ERRCODE_SYSTEM_ERROR),
			 errmsg("the themis_crypt key worker could not process encryption key \"%s\"",
					name)));
}

void
tc_error_untrusted(const TcRequest *request, const uint8 kcv[TC_KCV_BYTES],
				   const char *root_name)
{
	char		found[TC_KCV_BYTES * 2 + 1];
	char		pinned[TC_KCV_BYTES * 2 + 1];

	sodium_bin2hex(found, sizeof(found), kcv, TC_KCV_BYTES);
	sodium_bin2hex(pinned, sizeof(pinned), request->pinned, TC_KCV_BYTES);
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("root of encryption keys \"%s\" is not trusted by this machine",
					root_name),
			 request->has_pinned ?
			 errdetail("Its fingerprint is %s, but this machine trusts %s for this realm.",
					   found, pinned) :
			 errdetail("Its fingerprint is %s, and this machine trusts none for this realm.",
					   found),
			 errhint("If you know the fingerprint, run \"themis-keyring trust\" and call themis_crypt.unlock().")));
}

const char *
tc_algorithm_needs(uint8 algorithm)
{
	switch (algorithm)
	{
		case TC_ALG_AES256GCM:
			return "It needs a CPU with AES instructions that libsodium uses: AES-NI and PCLMULQDQ.";
		case TC_ALG_AEGIS256:
			return "It needs an extension built with libsodium 1.0.19 or newer.";
		default:
			return "It is not known to this version of the extension.";
	}
}

void
tc_error_algorithm(const char *key_name, const TcKeyIdentity *identity)
{
	bool		is_index = identity->purpose == TC_PURPOSE_INDEX;

	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("encryption key \"%s\" has an algorithm that is not supported here",
					key_name),
			 is_index ?
			 errdetail("Its tokens are made by %s.  It needs a libsodium that was built with it.",
					   tc_index_algorithm_name(identity->algorithm)) :
			 errdetail("Its values are sealed by %s.  %s",
					   tc_algorithm_name(identity->algorithm),
					   tc_algorithm_needs(identity->algorithm)),
			 errhint("Use the key on a machine that has it.")));
}

void
tc_error_form(TcResult result)
{
	if (result == TC_TOO_LARGE)
		tc_error_too_large();
	if (result == TC_UNSUPPORTED)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("sealed value has a format or algorithm that is not supported here")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid input syntax for type encrypted"),
			 errdetail("The text form of a sealed value starts with \"tc1:\"; this one is damaged."),
			 errhint("To encrypt a text that starts so, cast it to text first.")));
}

#define HINT_COMPARE_OPENED \
	"To compare opened values row by row, cast to the plaintext type, as in column::%s."

/* The type to open a value as, in order to compare it; json has no equality. */
static const char *
plain_name(int32 typmod)
{
	const TcPlainType *type = tc_plaintype_by_code(tc_typmod_type_code(typmod));

	if (type == NULL)
		return "text";
	return type->typid == JSONOID ? "jsonb" : type->name;
}

void
tc_error_unsearchable(int32 typmod)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errhidestmt(true), errhidecontext(true),
			 errmsg("could not identify an equality operator for type encrypted%s",
					tc_typmod_text(typmod)),
			 errdetail("The column is not searchable."),
			 errhint(HINT_COMPARE_OPENED "  To search, change its type to %s.",
					 plain_name(typmod), tc_typmod_searchable(typmod))));
}

void
tc_error_other_key(int32 typmod, int32 other)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errhidestmt(true), errhidecontext(true),
			 errmsg("operator does not exist: encrypted%s = encrypted%s",
					tc_typmod_text(typmod), tc_typmod_text(other)),
			 errdetail("Only values under one key and of one plaintext type can be compared."),
			 errhint(HINT_COMPARE_OPENED, plain_name(typmod))));
}

void
tc_error_other_type(int32 typmod, Oid typid)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errhidestmt(true), errhidecontext(true),
			 errmsg("operator does not exist: encrypted%s = %s",
					tc_typmod_text(typmod), format_type_be(typid)),
			 errhint("Cast the other side to %s.", plain_name(typmod))));
}

void
tc_error_unbound(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INDETERMINATE_DATATYPE),
			 errhidestmt(true), errhidecontext(true),
			 errmsg("could not determine the encryption key of a comparison"),
			 errhint("Cast one side, as in expression::encrypted(key, type, searchable), or ...[] for an array.")));
}

void
tc_error_incomparable(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errhidestmt(true), errhidecontext(true),
			 errmsg("could not compare encrypted values"),
			 errdetail("They are not searchable, or of other keys or types."),
			 errhint(HINT_COMPARE_OPENED, "text")));
}

void
tc_error_probe(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("search probe cannot be shown or stored")));
}

void
tc_error_rejected(uint32 key_id, uint16 version, size_t len)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("could not decrypt value: authentication failed"),
			 errdetail_log("Key %u version %u, sealed length %zu.",
						   key_id, version, len)));
}

void
tc_error_too_large(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("value is too large to be encrypted"),
			 errdetail("A plaintext may have at most %zu bytes.", TC_PLAIN_MAX)));
}

void
tc_require_argument(FunctionCallInfo fcinfo, int n, const char *name)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
}

/* test_md5.c - the sums of RFC 1321, and of every length around a block's end. */
#include "unit.h"

#include "analyzer/base/md5.h"

#include <stdio.h>
#include <string.h>

static const char *sum_of(const void *bytes, size_t size)
{
	static char text[2 * MD5_SIZE + 1];
	uint8_t sum[MD5_SIZE];

	md5(bytes, size, sum);
	for (int i = 0; i < MD5_SIZE; i++)
		sprintf(text + 2 * i, "%02x", sum[i]);
	return text;
}

START_TEST(sums_are_those_of_the_standard)
{
	static const char *const cases[][2] = {
		{ "", "d41d8cd98f00b204e9800998ecf8427e" },
		{ "a", "0cc175b9c0f1b6a831c399e269772661" },
		{ "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
			"d174ab98d277d9f5a5611c2c9f419d9f" },
		{ "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
			"57edf4a22be3c955ac49da2e2107b67a" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(sum_of(cases[i][0], strlen(cases[i][0])), cases[i][1]);
}
END_TEST

START_TEST(lengths_around_the_end_of_a_block)
{
	static const struct {
		size_t size;
		const char *sum;
	} cases[] = {
		{ 55, "04364420e25c512fd958a70738aa8f72" },
		{ 56, "668a72d5ba17f08e62dabcafad6db14b" },
		{ 63, "7dc2ca208106a2f703567bdff99d8981" },
		{ 64, "c1bb4f81d892b2d57947682aeb252456" },
		{ 65, "1bc932052302d074bdec39795fe00cf6" },
		{ 119, "ab347a5f68c8a443cfcddc633f12c24f" },
		{ 120, "fb98667f98096de92620b64f46e1c5b5" },
		{ 128, "d69cb61a6ee87200676eb0d4b90edbcb" },
	};
	char bytes[128];

	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(sum_of(bytes, cases[i].size), cases[i].sum);
}
END_TEST

UNIT_SUITE("md5", sums_are_those_of_the_standard, lengths_around_the_end_of_a_block)
